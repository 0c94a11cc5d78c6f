package auth

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestParseAuthorization(t *testing.T) {
	padded := base64.StdEncoding.EncodeToString([]byte("ada:pass:word")) // 13 bytes: padding
	for name, c := range map[string]struct{ header, scheme, user, password, token string }{
		"padded":          {"Basic " + padded, SchemeBasic, "ada", "pass:word", ""},
		"unpadded":        {"Basic " + strings.TrimRight(padded, "="), SchemeBasic, "ada", "pass:word", ""},
		"lower case":      {"basic " + padded, SchemeBasic, "ada", "pass:word", ""},
		"empty password":  {"Basic " + base64.StdEncoding.EncodeToString([]byte("ada:")), SchemeBasic, "ada", "", ""},
		"bearer":          {"Bearer abc.def", SchemeBearer, "", "", "abc.def"},
		"bearer in caps":  {"BEARER  abc ", SchemeBearer, "", "", "abc"},
		"unicode name":    {"Basic " + base64.StdEncoding.EncodeToString([]byte("Ādā:ß")), SchemeBasic, "Ādā", "ß", ""},
		"spaces around":   {"  Basic " + padded + " ", SchemeBasic, "ada", "pass:word", ""},
		"a colon at once": {"Basic " + base64.StdEncoding.EncodeToString([]byte(":x")), SchemeBasic, "", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			scheme, user, password, token, err := ParseAuthorization(c.header)
			if err != nil || scheme != c.scheme || user != c.user || password != c.password || token != c.token {
				t.Fatalf("got %q %q %q %q, %v", scheme, user, password, token, err)
			}
		})
	}
	for name, header := range map[string]string{
		"empty": "", "only a scheme": "Basic", "only a scheme and space": "Bearer ", "digest": "Digest x", "no base64": "Basic %%%",
		"no colon": "Basic " + base64.StdEncoding.EncodeToString([]byte("ada")), "not UTF-8": "Basic " + base64.StdEncoding.EncodeToString([]byte("\xff:x")),
		"huge": "Bearer " + strings.Repeat("x", authorizationBytesMax),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, _, err := ParseAuthorization(header)
			wantKind(t, err, qerr.Unauthenticated)
		})
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add("Basic YWRhOng=")
	f.Add("Bearer x")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		scheme, user, password, token, err := ParseAuthorization(header)
		if err != nil {
			wantKind(t, err, qerr.Unauthenticated)
			return
		}
		switch scheme {
		case SchemeBearer:
			if token == "" || user != "" || password != "" {
				t.Fatalf("%q gives %q %q %q", header, user, password, token)
			}
		case SchemeBasic:
			again := "Basic " + base64.RawStdEncoding.EncodeToString([]byte(user+":"+password))
			if _, u, p, _, err := ParseAuthorization(again); err != nil || u != user || p != password {
				t.Fatalf("%q gives %q %q, which come back as %q %q, %v", header, user, password, u, p, err)
			}
		default:
			t.Fatalf("%q gives scheme %q", header, scheme)
		}
	})
}
