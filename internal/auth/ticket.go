package auth

import (
	"time"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// TicketVersion is the version of the ticket's contents that this build writes and reads.
	TicketVersion = 1
	// HandleVersion is the version of the handle's contents that this build writes and reads.
	HandleVersion = 1
	// TicketBytesMax bounds a signed ticket. Tickets travel in every FlightInfo; a larger fragment is dispatched to its
	// worker beforehand instead of riding in the ticket.
	TicketBytesMax = 64 << 10
	// HandleBytesMax bounds a signed handle, which carries a statement's text and its bound parameters.
	HandleBytesMax = 1 << 20
)

// SignTicket returns the ticket signed. It fills in the version. The ticket must have an audience, a task key and an expiry.
// A ticket that would exceed TicketBytesMax is an error of kind Resource.
func (k *Keyring) SignTicket(t *pb.Ticket) ([]byte, error) {
	t.Version = TicketVersion
	if fault := ticketFault(t); fault != "" {
		return nil, qerr.New(qerr.Internal, "sign ticket: the ticket has %s", fault)
	}
	return k.seal(domainTicket, "ticket", t, TicketBytesMax)
}

// VerifyTicket checks a ticket's signature, version, completeness and expiry. Whose it is and for which worker is the
// caller's to check, who knows its own identity. Forged, expired or unreadable tickets are Unauthenticated, larger ones
// than TicketBytesMax are User errors.
func (k *Keyring) VerifyTicket(b []byte, now time.Time) (*pb.Ticket, error) {
	var t pb.Ticket
	if err := k.unseal(domainTicket, "ticket", b, &t, TicketBytesMax); err != nil {
		return nil, err
	}
	if t.Version != TicketVersion {
		return nil, qerr.New(qerr.Unauthenticated, "the ticket has version %d; this node reads version %d", t.Version, TicketVersion)
	}
	if fault := ticketFault(&t); fault != "" {
		return nil, qerr.New(qerr.Unauthenticated, "the ticket has %s", fault)
	}
	if err := unexpired("ticket", t.ExpiresUnixMs, now); err != nil {
		return nil, err
	}
	return &t, nil
}

// ticketFault says what a ticket lacks; empty when it is complete.
func ticketFault(t *pb.Ticket) string {
	switch {
	case t.Audience <= pb.Audience_AUDIENCE_UNSPECIFIED || t.Audience > pb.Audience_AUDIENCE_COORDINATOR:
		return "no audience that this version knows"
	case t.Key.GetQueryId() == "":
		return "no task"
	case t.ExpiresUnixMs <= 0:
		return "no expiry"
	}
	return ""
}

// SignHandle returns the handle signed. It fills in the version. The handle must have a kind and an expiry.
func (k *Keyring) SignHandle(h *pb.Handle) ([]byte, error) {
	h.Version = HandleVersion
	if h.Kind == "" || h.ExpiresUnixMs <= 0 {
		return nil, qerr.New(qerr.Internal, "sign handle: a handle needs a kind and an expiry")
	}
	return k.seal(domainHandle, "handle", h, HandleBytesMax)
}

// VerifyHandle checks a handle's signature, version, kind and expiry; whose it is, is the caller's to check.
func (k *Keyring) VerifyHandle(b []byte, kind string, now time.Time) (*pb.Handle, error) {
	var h pb.Handle
	if err := k.unseal(domainHandle, "handle", b, &h, HandleBytesMax); err != nil {
		return nil, err
	}
	if h.Version != HandleVersion {
		return nil, qerr.New(qerr.Unauthenticated, "the handle has version %d; this node reads version %d", h.Version, HandleVersion)
	}
	if h.Kind != kind {
		return nil, qerr.New(qerr.Unauthenticated, "the handle is of kind %q; here goes one of kind %q", h.Kind, kind)
	}
	if err := unexpired("handle", h.ExpiresUnixMs, now); err != nil {
		return nil, err
	}
	return &h, nil
}

func unexpired(what string, expiresUnixMs int64, now time.Time) error {
	if now.UnixMilli() < expiresUnixMs {
		return nil
	}
	return qerr.New(qerr.Unauthenticated, "the %s expired at %s", what,
		time.UnixMilli(expiresUnixMs).UTC().Format(time.RFC3339))
}
