package auth

import (
	"strings"
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// The schemes that ParseAuthorization tells apart.
const (
	SchemeBasic  = "basic"
	SchemeBearer = "bearer"
)

// authorizationBytesMax bounds the header; tokens of identity providers stay under it.
const authorizationBytesMax = 32 << 10

// ParseAuthorization reads an Authorization header: "Basic" with base64 of user:password, padded or not (clients differ),
// or "Bearer" with a token. The scheme comes back in lower case; user and password are set for basic, token for bearer.
// Everything else is Unauthenticated. The values are not checked against anything.
func ParseAuthorization(header string) (scheme, user, password, token string, err error) {
	if len(header) > authorizationBytesMax {
		return "", "", "", "", qerr.New(qerr.Unauthenticated, "the authorization header has %d bytes; at most %d are allowed",
			len(header), authorizationBytesMax)
	}
	name, value, found := strings.Cut(strings.TrimSpace(header), " ")
	value = strings.TrimSpace(value)
	if !found || value == "" {
		return "", "", "", "", qerr.New(qerr.Unauthenticated, "the authorization header must be Basic or Bearer and a value")
	}
	switch strings.ToLower(name) {
	case SchemeBearer:
		return SchemeBearer, "", "", value, nil
	case SchemeBasic:
		plain, err := decodeBase64(value)
		user, password, found := strings.Cut(string(plain), ":")
		if err != nil || !found || !utf8.ValidString(user) || strings.ContainsRune(user, 0) {
			return "", "", "", "", qerr.New(qerr.Unauthenticated, "the authorization header is not base64 of user:password")
		}
		return SchemeBasic, user, password, "", nil
	}
	return "", "", "", "", qerr.New(qerr.Unauthenticated, "the authorization scheme must be Basic or Bearer")
}
