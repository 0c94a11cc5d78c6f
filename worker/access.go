package worker

import (
	"context"

	"google.golang.org/grpc/metadata"

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

// subject is the user that a call comes from: by its token, or by name and password where the worker has a users file. known is
// false for a call that says nothing.
func (w *Worker) subject(ctx context.Context) (user string, known bool, err error) {
	authorization := header(ctx, "authorization")
	if authorization == "" {
		return "", false, nil
	}
	scheme, name, password, token, err := auth.ParseAuthorization(authorization)
	if err != nil {
		return "", false, err
	}
	if scheme == auth.SchemeBearer {
		claims, err := w.cfg.Keys.VerifyToken(token, w.cfg.Now())
		return claims.Subject, err == nil, err
	}
	if w.cfg.Users == nil {
		return "", false, qerr.New(qerr.Unauthenticated, "this worker has no users file and takes no passwords: "+
			"send the bearer token of the coordinator, or read through the coordinator")
	}
	if err := w.cfg.Users.Verify(name, password); err != nil {
		return "", false, err
	}
	return name, true, nil
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
