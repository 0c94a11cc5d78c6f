package worker

import (
	"context"
	"crypto/x509"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// header is a call's metadata value under a key; empty when it has none.
func header(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// requireCluster lets only nodes of the cluster pass.
func (w *Worker) requireCluster(ctx context.Context) error {
	return w.cfg.Keys.VerifyCredential(header(ctx, auth.CredentialHeader), w.cfg.Now())
}

// newLogins are the ways to log in that the configuration names.
func newLogins(c *Config) *auth.Logins {
	l := auth.LoginsConfig{Tokens: c.Tokens, Certificates: c.Certificates, Log: c.Log, Now: c.Now}
	if c.Users != nil { // A nil *Users would be an interface that is not nil.
		l.Passwords = c.Users
	}
	return auth.NewLogins(l)
}

// subject is the user that a call comes from: by its token, by name and password, or by the certificate of its connection, as far as
// this worker was told how to check them. known is false for a call that says nothing.
func (w *Worker) subject(ctx context.Context) (user string, known bool, err error) {
	from, leaf := caller(ctx)
	authorization := header(ctx, "authorization")
	if authorization == "" {
		id, known, err := w.logins.Certificate(leaf)
		return id.Subject, known, err
	}
	scheme, name, password, token, err := auth.ParseAuthorization(authorization)
	if err != nil {
		return "", false, err
	}
	switch {
	case scheme == auth.SchemeBearer && auth.Ours(token):
		claims, err := w.cfg.Keys.VerifyToken(token, w.cfg.Now())
		if err != nil {
			return "", false, w.logins.BadToken(err, from)
		}
		return claims.Subject, true, nil
	case scheme == auth.SchemeBearer:
		id, err := w.logins.Token(ctx, token, from)
		if err != nil {
			return "", false, w.logins.BadToken(err, from)
		}
		return id.Subject, true, nil
	case !w.logins.TakesPasswords():
		return "", false, qerr.New(qerr.Unauthenticated, "this worker has no users file and takes no passwords: "+
			"send the bearer token of the coordinator, or read through the coordinator")
	}
	id, err := w.logins.Password(name, password, from)
	return id.Subject, err == nil, err
}

// caller is where a call comes from, without the port, and the verified certificate of its connection, if it has one.
func caller(ctx context.Context) (from string, leaf *x509.Certificate) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", nil
	}
	from = p.Addr.String()
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
		leaf = info.State.PeerCertificates[0]
	}
	return from, leaf
}

// mayRead checks a DoGet's caller against the ticket: exchange partitions are for nodes of the cluster, results for the
// ticket's user and for coordinators, which checked the user themselves.
func (w *Worker) mayRead(ctx context.Context, t *pb.Ticket) error {
	if t.GetAudience() == pb.Audience_AUDIENCE_EXCHANGE {
		return w.requireCluster(ctx)
	}
	if header(ctx, auth.CredentialHeader) != "" {
		return w.requireCluster(ctx)
	}
	// A ticket with a subject comes from a coordinator that authenticates, so its reader must prove to be that user here too.
	if !w.cfg.RequireToken && t.GetSubject() == "" {
		return nil
	}
	user, known, err := w.subject(ctx)
	switch {
	case err != nil:
		return err
	case !known:
		return qerr.New(qerr.Unauthenticated, "this worker wants the bearer token that the coordinator gave")
	}
	return checkSubject(t, user)
}

// checkSubject refuses a ticket of another user as if there were no such result.
func checkSubject(t *pb.Ticket, user string) error {
	if t.GetSubject() != user {
		return qerr.New(qerr.NotFound, "there is no result of this ticket for this user")
	}
	return nil
}

// verifyTicket checks a ticket's signature and expiry, and that it means this worker in this life.
func (w *Worker) verifyTicket(b []byte) (*pb.Ticket, error) {
	t, err := w.cfg.Keys.VerifyTicket(b, w.cfg.Now())
	if err != nil {
		return nil, err
	}
	switch {
	case t.GetAudience() == pb.Audience_AUDIENCE_COORDINATOR:
		return nil, qerr.New(qerr.NotFound, "this ticket is for the coordinator; this is worker %s", w.cfg.ID)
	case ids.WorkerID(t.GetWorkerId()) != w.cfg.ID:
		return nil, qerr.New(qerr.NotFound, "this ticket is for worker %s; this is worker %s", t.GetWorkerId(), w.cfg.ID)
	case ids.Incarnation(t.GetIncarnation()) != w.cfg.Incarnation:
		return nil, qerr.New(qerr.NotFound, "worker %s was restarted since this ticket was made, and its results are lost", w.cfg.ID)
	}
	return t, nil
}
