package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestTokens(t *testing.T) {
	k := GenerateKeyring()
	want := Claims{Subject: "ada", Session: "s1", Expires: now.Add(time.Hour)}
	token := k.IssueToken(want)
	got, err := k.VerifyToken(token, now)
	if err != nil || got.Subject != want.Subject || got.Session != want.Session || !got.Expires.Equal(want.Expires) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"empty":           "",
		"a JWT":           "eyJhbGciOiJub25lIn0.e30.",
		"no base64":       "arb1.***",
		"cut":             token[:len(token)-3],
		"another cluster": GenerateKeyring().IssueToken(want),
		"a credential":    k.Credential(now),
		"huge":            "arb1." + strings.Repeat("A", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.VerifyToken(bad, now)
			wantKind(t, err, qerr.Unauthenticated)
			if len(bad) > 10 && strings.Contains(err.Error(), bad) {
				t.Fatal("the error repeats the token")
			}
		})
	}
	_, err = k.VerifyToken(token, now.Add(time.Hour))
	wantKind(t, err, qerr.Unauthenticated)
}

func TestCredentialAllowsForClocks(t *testing.T) {
	k := GenerateKeyring()
	c := k.Credential(now)
	for offset, good := range map[time.Duration]bool{
		0: true, ClockSkewMax: true, -ClockSkewMax: true, credentialTTL + ClockSkewMax: true,
		-ClockSkewMax - time.Second: false, credentialTTL + ClockSkewMax + time.Second: false, time.Hour: false, -time.Hour: false,
	} {
		if err := k.VerifyCredential(c, now.Add(offset)); (err == nil) != good {
			t.Errorf("with a clock that is %s off: %v", offset, err)
		} else if err != nil {
			wantKind(t, err, qerr.Unauthenticated)
		}
	}
	wantKind(t, k.VerifyCredential("", now), qerr.Unauthenticated)
	wantKind(t, GenerateKeyring().VerifyCredential(c, now), qerr.Unauthenticated)
	wantKind(t, k.VerifyCredential(k.IssueToken(Claims{Subject: "ada", Expires: now.Add(time.Minute)}), now), qerr.Unauthenticated)
}
