package flightserver

import (
	"encoding/binary"
	"time"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// The kinds of handles. One kind is never good for another.
const (
	preparedHandle    = "prepared"
	transactionHandle = "transaction"
	savepointHandle   = "savepoint"
	queryHandle       = "query"
)

// handleTTL is how long a handle's signature is good. It only has to outlive what stands behind it, which ends with its
// session; connection pools keep statements for weeks.
const handleTTL = 30 * 24 * time.Hour

// sign makes a handle of this caller.
func (s *Server) sign(kind string, c caller, body []byte) ([]byte, error) {
	return s.cfg.Keys.SignHandle(&pb.Handle{Kind: kind, Subject: c.subject, Session: c.session, Body: body,
		ExpiresUnixMs: s.cfg.Now().Add(handleTTL).UnixMilli()})
}

// verify reads a handle, and returns the caller whose session it belongs to: that of the same user who was given it. A client
// that keeps no session token still reaches its statements by their handles.
func (s *Server) verify(kind string, c caller, handle []byte) (owner caller, body []byte, err error) {
	if len(handle) == 0 {
		return caller{}, nil, qerr.New(qerr.User, "the %s handle is empty", kind)
	}
	h, err := s.cfg.Keys.VerifyHandle(handle, kind, s.cfg.Now())
	if err != nil {
		return caller{}, nil, err
	}
	if h.GetSubject() != c.subject {
		return caller{}, nil, qerr.New(qerr.PermissionDenied, "this %s handle belongs to another user", kind)
	}
	return caller{subject: h.GetSubject(), session: h.GetSession(), initial: c.initial}, h.GetBody(), nil
}

// pack puts numbers into a handle's body.
func pack(numbers ...uint64) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// unpack reads what pack wrote. Bodies are signed, so that a fault here is ours.
func unpack(body []byte, numbers ...*uint64) error {
	for _, n := range numbers {
		v, size := binary.Uvarint(body)
		if size <= 0 {
			return qerr.New(qerr.Internal, "a signed handle has a body of a different version")
		}
		*n, body = v, body[size:]
	}
	return nil
}
