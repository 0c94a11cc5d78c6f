package grpcerr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing answers every Release with the error it was given.
type failing struct {
	pb.UnimplementedTasksServer
	err error
}

func (f *failing) Release(context.Context, *pb.ReleaseRequest) (*pb.ReleaseReply, error) {
	return nil, ToStatus(f.err)
}

// hop sends errors through a real gRPC call. maxHeader is the size of trailers the client takes.
func hop(t *testing.T) func(error) error {
	t.Helper()
	const maxHeader = 8 << 10 // Netty's default
	listener := bufconn.Listen(1 << 16)
	server, service := grpc.NewServer(), &failing{}
	pb.RegisterTasksServer(server, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		<-served
	})
	return func(err error) error {
		service.err = err
		_, got := pb.NewTasksClient(conn).Release(context.Background(), &pb.ReleaseRequest{})
		return got
	}
}

func TestEveryKindSurvivesAHop(t *testing.T) {
	call := hop(t)
	seen := map[codes.Code]qerr.Kind{}
	for _, kind := range qerr.Kinds() {
		want := &qerr.Error{Kind: kind, Op: "run task", Msg: "müßig: 100 %\nline 2", Position: 7, Worker: "w1",
			Producer: ids.TaskKey{Query: "q", Stage: 2, Task: 3, Attempt: 1}, Final: true}
		raw := call(want)
		if other, twice := seen[status.Code(raw)]; twice {
			t.Errorf("%v and %v share %v", kind, other, status.Code(raw))
		}
		seen[status.Code(raw)] = kind
		if text := status.Convert(raw).Message(); text != want.Error()+" (at position 7)" {
			t.Errorf("%v: people read %q", kind, text)
		}
		got, ok := FromStatus(raw).(*qerr.Error)
		if !ok || *got != *want {
			t.Errorf("%v: got %+v", kind, got)
		}
		// The detail may be lost on the way (a proxy): the code alone gives the kind.
		if k := qerr.KindOf(FromStatus(status.Error(status.Code(raw), "x"))); k != kind {
			t.Errorf("%v: by code %v", kind, k)
		}
	}
}

func TestPredicatesAndTextSurviveAHop(t *testing.T) {
	call := hop(t)
	inner := qerr.New(qerr.IO, "file %s is truncated", "a.parquet")
	inner.Worker = "w2"
	for name, c := range map[string]struct {
		err    error
		kind   qerr.Kind
		worker ids.WorkerID
	}{
		"wrapped":          {qerr.Wrap(qerr.Internal, "scan", inner), qerr.IO, "w2"},
		"wrapped by fmt":   {fmt.Errorf("around: %w", inner), qerr.IO, "w2"},
		"context cancel":   {context.Canceled, qerr.Cancelled, ""},
		"wrapped deadline": {qerr.Wrap(qerr.Internal, "wait", fmt.Errorf("x: %w", context.DeadlineExceeded)), qerr.Deadline, ""},
		"unclassified":     {errors.New("boom"), qerr.Internal, ""},
		"not UTF-8":        {qerr.New(qerr.User, "a\xffb"), qerr.User, ""},
	} {
		got := FromStatus(call(c.err))
		if !qerr.Is(got, c.kind) || qerr.KindOf(c.err) != c.kind {
			t.Errorf("%s: %v before, %v after", name, qerr.KindOf(c.err), qerr.KindOf(got))
		}
		if want := strings.ToValidUTF8(c.err.Error(), "\uFFFD"); got.Error() != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		var e *qerr.Error
		if errors.As(got, &e); e.Worker != c.worker {
			t.Errorf("%s: worker %q", name, e.Worker)
		}
	}
}

// TestLongMessagesFitTrailers: beyond the client's limit on trailers gRPC would replace the whole status.
func TestLongMessagesFitTrailers(t *testing.T) {
	call := hop(t)
	for _, unit := range []string{"x", "%", "é", "\n", "漢"} {
		got := FromStatus(call(qerr.New(qerr.User, "%s", "start "+strings.Repeat(unit, 50000))))
		if !qerr.Is(got, qerr.User) || !strings.HasPrefix(got.Error(), "start "+unit) || !strings.HasSuffix(got.Error(), "…") {
			t.Errorf("%q: %v %.80q", unit, qerr.KindOf(got), got.Error())
		}
	}
}

func TestPassThrough(t *testing.T) {
	if ToStatus(nil) != nil || FromStatus(nil) != nil || FromStatus(io.EOF) != io.EOF || ToProto(nil) != nil || FromProto(nil) != nil {
		t.Error("nil and io.EOF must pass")
	}
	foreign := status.Error(codes.Unimplemented, "unknown service")
	if got := ToStatus(foreign); got != foreign {
		t.Errorf("a foreign status came as %v", got)
	}
	local := qerr.New(qerr.Fenced, "old epoch")
	if got := FromStatus(local); got != error(local) {
		t.Errorf("a local error came as %v", got)
	}
	if got := FromStatus(errors.New("plain")); !qerr.Is(got, qerr.Internal) || got.Error() != "plain" {
		t.Errorf("got %v", got)
	}
	if got := FromStatus(status.Error(codes.Canceled, "context canceled")); !errors.Is(got, context.Canceled) {
		t.Errorf("a cancelled call came as %v", got)
	}
}

// TestUnknownKind: a newer peer may know more kinds; the code decides then.
func TestUnknownKind(t *testing.T) {
	st, err := status.New(codes.Unavailable, "m").WithDetails(&pb.Error{Kind: "BRAND_NEW", Message: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if got := FromStatus(st.Err()); !qerr.Is(got, qerr.Unavailable) || got.Error() != "m" {
		t.Errorf("got %v %v", qerr.KindOf(got), got)
	}
}

// Clients that do not know our detail find the hint in Google's.
func TestRetryAfter(t *testing.T) {
	full := qerr.New(qerr.Unavailable, "full")
	full.RetryAfter = 1500 * time.Millisecond
	status, _ := status.FromError(ToStatus(qerr.Wrap(qerr.Internal, "submit", full)))
	var hint *errdetails.RetryInfo
	for _, detail := range status.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			hint = info
		}
	}
	if hint.GetRetryDelay().AsDuration() != full.RetryAfter {
		t.Errorf("RetryInfo is %v", hint)
	}
	var back *qerr.Error
	if !errors.As(FromStatus(status.Err()), &back) || back.RetryAfter != full.RetryAfter {
		t.Errorf("came back as %+v", back)
	}
}
