package auth

import (
	"bufio"
	"os"
	"strings"
	"sync/atomic"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// hashesAtOnceMax bounds how many passwords are hashed at the same time: each costs tens of milliseconds of a core and
// tens of megabytes, and a flood of wrong passwords must not starve queries.
const hashesAtOnceMax = 2

// hashesWaitingMax bounds how many logins wait for their turn; at 30 ms each the last of them waits two seconds.
const hashesWaitingMax = 128

// Users are the names and password hashes of a users file. Safe for concurrent use.
type Users struct {
	hashes map[string]passwordHash
	// decoy is what an unknown name's password is checked against, so that it takes as long as a known name's.
	decoy passwordHash
	seen  *verified
	// turn holds a token for each hash being computed.
	turn chan struct{}
	// waiting counts the logins that wait for a turn or have one.
	waiting atomic.Int64
}

// LoadUsers reads a users file: one "name:hash" a line, the hash in PHC form as HashPassword writes it
// ($argon2id$v=19$m=…,t=…,p=…$salt$hash). Empty lines and lines starting with # are skipped.
func LoadUsers(path string) (*Users, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, qerr.Wrap(qerr.User, "read users file", err)
	}
	defer func() { _ = file.Close() }()
	u := &Users{hashes: map[string]passwordHash{}, seen: newVerified(), turn: make(chan struct{}, hashesAtOnceMax)}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, text, found := strings.Cut(line, ":")
		if !found || name == "" {
			return nil, qerr.New(qerr.User, "users file %s line %d: want name:hash", path, n)
		}
		if _, twice := u.hashes[name]; twice {
			return nil, qerr.New(qerr.User, "users file %s line %d: user %q stands twice", path, n, name)
		}
		hash, err := parsePHC(text)
		if err != nil {
			return nil, qerr.New(qerr.User, "users file %s line %d: %s", path, n, err)
		}
		u.hashes[name] = hash
		u.decoy = hash.decoy()
	}
	if err := lines.Err(); err != nil {
		return nil, qerr.Wrap(qerr.User, "read users file", err)
	}
	if len(u.hashes) == 0 {
		return nil, qerr.New(qerr.User, "users file %s names no user", path)
	}
	return u, nil
}

// Verify checks a user's password. A wrong password and an unknown name give the same Unauthenticated error after the same
// work. A pair that was right lately is answered from memory, since clients may send it with every call.
func (u *Users) Verify(name, password string) error {
	if u.seen.has(name, password) {
		return nil
	}
	hash, known := u.hashes[name]
	if !known {
		hash = u.decoy
	}
	defer u.waiting.Add(-1)
	if u.waiting.Add(1) > hashesWaitingMax {
		return qerr.New(qerr.Unavailable, "too many logins at once; try again")
	}
	u.turn <- struct{}{}
	right := hash.matches(password)
	<-u.turn
	if !known || !right {
		return qerr.New(qerr.Unauthenticated, "the user name or the password is wrong")
	}
	u.seen.add(name, password)
	return nil
}
