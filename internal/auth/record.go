package auth

import "google.golang.org/protobuf/proto"

// RecordBytesMax bounds a signed record: a worker's has some 500 bytes, a coordinator's a path for each data location.
const RecordBytesMax = 64 << 10

// SealLarge is SealRecord for kinds of records that may be larger; the bound is the caller's.
func (k *Keyring) SealLarge(kind string, m proto.Message, bytesMax int) ([]byte, error) {
	return k.seal(domainRecord+domain(kind), kind+" record", m, bytesMax)
}

// UnsealLarge is UnsealRecord for them.
func (k *Keyring) UnsealLarge(kind string, b []byte, m proto.Message, bytesMax int) error {
	return k.unseal(domainRecord+domain(kind), kind+" record", b, m, bytesMax)
}

// SealRecord signs what a node says of itself in a store that others can write to. The kind keeps records of one sort from
// being passed off as those of another.
func (k *Keyring) SealRecord(kind string, m proto.Message) ([]byte, error) {
	return k.seal(domainRecord+domain(kind), kind+" record", m, RecordBytesMax)
}

// UnsealRecord checks the signature of a record of the kind and reads it into m. Forged ones are Unauthenticated.
func (k *Keyring) UnsealRecord(kind string, b []byte, m proto.Message) error {
	return k.unseal(domainRecord+domain(kind), kind+" record", b, m, RecordBytesMax)
}
