package auth

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadKeyring(t *testing.T) {
	key := bytes.Repeat([]byte{9}, 32)
	k, err := LoadKeyring(writeFile(t, "# the cluster's key\n\n"+b64(key)+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadKeyring(writeFile(t, "  "+strings.TrimRight(b64(key), "=")+"  "))
	if err != nil {
		t.Fatal(err)
	}
	id, bytesGot := k.Signer()
	if otherID, _ := again.Signer(); id == "" || id != otherID {
		t.Errorf("the ids %q and %q of one key differ", id, otherID)
	}
	if !bytes.Equal(bytesGot, key) {
		t.Errorf("the key is %x", bytesGot)
	}
}

func TestLoadKeyringRefuses(t *testing.T) {
	good := b64(bytes.Repeat([]byte{9}, 32))
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"# nothing\n", "holds no key"},
		"short":     {"a:" + b64(bytes.Repeat([]byte{9}, 31)), "line 1"},
		"no base64": {"\na:!!!", "line 2"},
		"twice":     {"a:" + good + "\na:" + good, "twice"},
		"no id":     {":" + good, "key id"},
		"large":     {strings.Repeat("#", keyFileBytesMax+1), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadKeyring(writeFile(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v; want one with %q", err, c.want)
			}
			if strings.Contains(err.Error(), good) {
				t.Fatal("the error repeats the key")
			}
		})
	}
	if _, err := LoadKeyring(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Fatal("a file that is not there was loaded")
	}
}
