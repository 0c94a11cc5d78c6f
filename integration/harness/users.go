package harness

import (
	"github.com/arbalest-sql/arbalest/internal/auth"
)

// UserLine gives the line of a --users file for a user.
func UserLine(name, password string) string {
	return name + ":" + auth.HashPassword(password) + "\n"
}
