package auth

import (
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func testUsers(t *testing.T) *Users {
	t.Helper()
	u, err := LoadUsers(writeFile(t, "# users\nada:"+HashPassword("l0velace")+"\n\nbob:"+HashPassword("")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestVerifyPasswords(t *testing.T) {
	u := testUsers(t)
	for i := range 2 { // the second time from memory
		if err := u.Verify("ada", "l0velace"); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	if err := u.Verify("bob", ""); err != nil {
		t.Fatal(err)
	}
	wrong, unknown := u.Verify("ada", "lovelace"), u.Verify("eve", "l0velace")
	wantKind(t, wrong, qerr.Unauthenticated)
	wantKind(t, unknown, qerr.Unauthenticated)
	if wrong.Error() != unknown.Error() {
		t.Errorf("a wrong password says %q, an unknown name %q", wrong, unknown)
	}
	wantKind(t, u.Verify("adal0ve", "lace"), qerr.Unauthenticated)
}

func TestHashesAreSaltedAndRead(t *testing.T) {
	a, b := HashPassword("x"), HashPassword("x")
	if a == b {
		t.Fatal("two hashes of one password are the same")
	}
	h, err := parsePHC(a)
	if err != nil || !h.matches("x") || h.matches("y") {
		t.Fatalf("%s: %v", a, err)
	}
	if h.decoy().matches("x") {
		t.Fatal("the decoy matches")
	}
	// A published vector: argon2id of "password" with salt "somesalt", one pass, 64 KiB, one lane, 24 bytes.
	key, _ := hex.DecodeString("655ad15eac652dc59f7170a7332bf49b8469be1fdb9c28bb")
	known, err := parsePHC("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + phcEncoding.EncodeToString(key))
	if err != nil || !known.matches("password") || known.matches("wrong") {
		t.Fatalf("the published vector: %v", err)
	}
}

func TestLoadUsersRefuses(t *testing.T) {
	good := HashPassword("x")
	for name, c := range map[string]struct{ text, want string }{
		"empty":        {"\n", "names no user"},
		"no colon":     {"ada", "line 1"},
		"no name":      {":" + good, "line 1"},
		"plain":        {"ada:secret-in-plain", "argon2id"},
		"bcrypt":       {"ada:$2b$12$abcdefghijklmnopqrstuv", "argon2id"},
		"twice":        {"ada:" + good + "\nada:" + good, "twice"},
		"too costly":   {"ada:$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b9fCQ", "within"},
		"old version":  {"ada:" + strings.Replace(good, "v=19", "v=16", 1), "version"},
		"short hash":   {"ada:$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$abcd", "hash"},
		"short salt":   {"ada:$argon2id$v=19$m=64,t=2,p=1$abcd$RdescudvJCsgt3ub+b9fCQ", "salt"},
		"no threads":   {"ada:$argon2id$v=19$m=64,t=2,p=0$c29tZXNhbHQ$RdescudvJCsgt3ub+b9fCQ", "within"},
		"odd settings": {"ada:$argon2id$v=19$m=64;t=2$c29tZXNhbHQ$RdescudvJCsgt3ub+b9fCQ", "parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadUsers(writeFile(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v; want one with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret-in-plain") {
				t.Fatal("the error repeats the password")
			}
		})
	}
}

func TestRememberedPairsAreBounded(t *testing.T) {
	v := newVerified()
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range verifiedMax / 2 {
				v.add("user", strings.Repeat("x", i+1)+string(rune(j)))
			}
		})
	}
	group.Wait()
	if n := len(v.until); n > verifiedMax {
		t.Fatalf("%d pairs are remembered; at most %d should be", n, verifiedMax)
	}
	v.add("ada", "x")
	if !v.has("ada", "x") || v.has("ad", "ax") {
		t.Fatal("pairs are not told apart")
	}
	v.until[v.digest("ada", "x")] = time.Now().Add(-time.Second)
	if v.has("ada", "x") {
		t.Fatal("an old pair is still remembered")
	}
}
