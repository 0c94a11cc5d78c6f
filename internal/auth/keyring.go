package auth

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// keyBytesMin is the least length of a key: as long as the hash it keys.
	keyBytesMin = 32
	// keyIDBytesMax bounds key ids, which stand in everything signed.
	keyIDBytesMax = 64
	// keyFileBytesMax bounds what is read of a key file; a handful of keys need less than a kilobyte.
	keyFileBytesMax = 64 << 10
)

// A domain separates the kinds of signed things under one key. Domains hold no NUL, which ends them in the MAC's input.
type domain string

const (
	domainTicket     domain = "arbalest/ticket/1"
	domainHandle     domain = "arbalest/handle/1"
	domainToken      domain = "arbalest/token/1"
	domainCredential domain = "arbalest/credential/1"
	domainRecord     domain = "arbalest/record/1/" // and the kind
)

// A Keyring is the cluster's signing keys: the first one signs, all of them verify, so that keys can be rotated by putting
// the new one first and taking the old one out when everything it signed has expired.
type Keyring struct {
	signer string
	keys   map[string][]byte
	order  []string
}

// NewKeyring returns a keyring of one key. The key must be 32 or more random bytes, as the Signer of another keyring gives
// them; keys that people write come through LoadKeyring, which checks them.
func NewKeyring(id string, key []byte) *Keyring {
	k := &Keyring{keys: map[string][]byte{}}
	k.add(id, key)
	return k
}

// GenerateKeyring returns a keyring of one fresh random key, for clusters whose workers join over loopback.
func GenerateKeyring() *Keyring {
	key := make([]byte, keyBytesMin)
	_, _ = rand.Read(key) // crypto/rand never fails: it ends the process instead
	return NewKeyring(keyID(key), key)
}

// LoadKeyring reads a key file: one key a line, the signing key first, either "id:base64" or only the base64 of at least
// 32 random bytes, whose id is then derived from the key. Empty lines and lines starting with # are skipped.
func LoadKeyring(path string) (*Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, qerr.Wrap(qerr.User, "read cluster key", err)
	}
	if len(text) > keyFileBytesMax {
		return nil, qerr.New(qerr.User, "cluster key file %s: %d bytes; at most %d are allowed", path, len(text), keyFileBytesMax)
	}
	k := &Keyring{keys: map[string][]byte{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, keyFileBytesMax+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, encoded, named := strings.Cut(line, ":")
		if !named {
			id, encoded = "", line
		}
		key, err := decodeBase64(strings.TrimSpace(encoded))
		if err != nil {
			return nil, qerr.New(qerr.User, "cluster key file %s line %d: the key is not base64; want id:base64 or base64", path, n)
		}
		if id = strings.TrimSpace(id); !named {
			id = keyID(key)
		}
		switch {
		case len(key) < keyBytesMin:
			return nil, qerr.New(qerr.User, "cluster key file %s line %d: the key has %d bytes; at least %d are needed", path, n, len(key), keyBytesMin)
		case id == "" || len(id) > keyIDBytesMax:
			return nil, qerr.New(qerr.User, "cluster key file %s line %d: the key id must have 1 to %d bytes", path, n, keyIDBytesMax)
		case k.keys[id] != nil:
			return nil, qerr.New(qerr.User, "cluster key file %s line %d: key id %q stands twice", path, n, id)
		}
		k.add(id, key)
	}
	if err := lines.Err(); err != nil {
		return nil, qerr.Wrap(qerr.User, "read cluster key", err)
	}
	if k.signer == "" {
		return nil, qerr.New(qerr.User, "cluster key file %s holds no key", path)
	}
	return k, nil
}

func (k *Keyring) add(id string, key []byte) {
	if k.signer == "" {
		k.signer = id
	}
	k.keys[id] = bytes.Clone(key)
	k.order = append(k.order, id)
}

// Signer returns the id and the bytes of the signing key, for handing it to a worker that joins over loopback.
func (k *Keyring) Signer() (id string, key []byte) { return k.signer, bytes.Clone(k.keys[k.signer]) }

// IDs lists the key ids, the signing one first.
func (k *Keyring) IDs() []string { return append([]string(nil), k.order...) }

// keyID derives a public id from a key, the same on every node.
func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("arbalest/key-id/1\x00"), key...))
	return hex.EncodeToString(sum[:6])
}

func mac(key []byte, d domain, payload []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(d))
	h.Write([]byte{0})
	h.Write(payload)
	return h.Sum(nil)
}

// seal signs a message; what names it in errors. The result has at most bytesMax bytes.
func (k *Keyring) seal(d domain, what string, m proto.Message, bytesMax int) ([]byte, error) {
	payload, err := proto.Marshal(m)
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "sign "+what, err)
	}
	signed, err := proto.Marshal(&pb.Signed{KeyId: k.signer, Payload: payload, Mac: mac(k.keys[k.signer], d, payload)})
	if err != nil {
		return nil, qerr.Wrap(qerr.Internal, "sign "+what, err)
	}
	if len(signed) > bytesMax {
		return nil, qerr.New(qerr.Resource, "the %s would have %d bytes; at most %d are allowed", what, len(signed), bytesMax)
	}
	return signed, nil
}

// unseal checks a signature and only then decodes the payload into m.
func (k *Keyring) unseal(d domain, what string, b []byte, m proto.Message, bytesMax int) error {
	if len(b) > bytesMax {
		return qerr.New(qerr.User, "the %s has %d bytes; at most %d are allowed", what, len(b), bytesMax)
	}
	var signed pb.Signed
	if proto.Unmarshal(b, &signed) != nil || len(signed.Payload) == 0 {
		return qerr.New(qerr.Unauthenticated, "this is not a %s of this cluster", what)
	}
	key, known := k.keys[signed.KeyId]
	if !known {
		return qerr.New(qerr.Unauthenticated, "the %s is signed with a key that this cluster does not have", what)
	}
	if !hmac.Equal(signed.Mac, mac(key, d, signed.Payload)) {
		return qerr.New(qerr.Unauthenticated, "the %s's signature is wrong", what)
	}
	if proto.Unmarshal(signed.Payload, m) != nil {
		return qerr.New(qerr.Unauthenticated, "the %s is signed, but not readable by this version", what)
	}
	return nil
}

// decodeBase64 reads standard base64 with or without padding.
func decodeBase64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}
