package grpcerr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// trailerBytesMax bounds what one message takes in the trailers in all its copies (percent-encoded in grpc-message, and
// twice in base64 in grpc-status-details-bin). Netty takes 8 KiB for all trailers; the rest is for the other fields.
const trailerBytesMax = 6 << 10

var codeOf = map[qerr.Kind]codes.Code{
	qerr.Internal:         codes.Internal,
	qerr.User:             codes.InvalidArgument,
	qerr.NotFound:         codes.NotFound,
	qerr.AlreadyExists:    codes.AlreadyExists,
	qerr.PermissionDenied: codes.PermissionDenied,
	qerr.Unauthenticated:  codes.Unauthenticated,
	qerr.Unsupported:      codes.Unimplemented,
	qerr.Resource:         codes.ResourceExhausted,
	qerr.IO:               codes.DataLoss,
	qerr.FetchFailed:      codes.Aborted,
	qerr.Unavailable:      codes.Unavailable,
	qerr.Cancelled:        codes.Canceled,
	qerr.Deadline:         codes.DeadlineExceeded,
	qerr.Fenced:           codes.FailedPrecondition,
}

var (
	kindOf   = map[codes.Code]qerr.Kind{codes.OutOfRange: qerr.User, codes.Unknown: qerr.Internal}
	kindFrom = map[string]qerr.Kind{}
)

func init() {
	for kind, code := range codeOf {
		kindOf[code] = kind
	}
	for _, kind := range qerr.Kinds() {
		kindFrom[kind.String()] = kind
	}
}

// Code is the gRPC code that an error of the kind travels under.
func Code(kind qerr.Kind) codes.Code {
	if code, ok := codeOf[kind]; ok {
		return code
	}
	return codes.Internal
}

// ToStatus makes the error that a gRPC handler returns: the kind's code, the message for people (with the position in the
// statement, when known), and the whole error as a detail. A status that carries no qerr.Error passes unchanged; nil is nil.
func ToStatus(err error) error {
	if err == nil {
		return nil
	}
	var e *qerr.Error
	if !errors.As(err, &e) {
		if _, ok := status.FromError(err); ok {
			return err
		}
	}
	detail := ToProto(err)
	text := join(detail.GetOp(), detail.GetMessage())
	if p := detail.GetPosition(); p > 0 {
		text += fmt.Sprintf(" (at position %d)", p)
	}
	st := status.New(Code(qerr.KindOf(err)), text)
	details := []protoadapt.MessageV1{detail}
	if ms := detail.GetRetryAfterMs(); ms > 0 { // for clients that know Google's details, and not ours
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(ms) * time.Millisecond)})
	}
	if with, err := st.WithDetails(details...); err == nil {
		st = with
	}
	return st.Err()
}

// FromStatus gives the error that a gRPC client call returned back as a *qerr.Error. A status without our detail (from
// gRPC itself, or another server) is classified by its code. nil and io.EOF pass unchanged.
func FromStatus(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var e *qerr.Error
	if errors.As(err, &e) {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return qerr.Wrap(qerr.Internal, "", err)
	}
	for _, detail := range st.Details() {
		if p, ok := detail.(*pb.Error); ok {
			out := FromProto(p)
			if _, known := kindFrom[p.GetKind()]; !known {
				out.Kind = kindOf[st.Code()]
			}
			return out
		}
	}
	return &qerr.Error{Kind: kindOf[st.Code()], Msg: st.Message(), Err: contextCause(st.Code())}
}

// contextCause keeps errors.Is(err, context.Canceled) true for a call that ended with its context.
func contextCause(code codes.Code) error {
	switch code {
	case codes.Canceled:
		return context.Canceled
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	}
	return nil
}

// ToProto is the wire form of any error, as task events carry it. nil is nil.
func ToProto(err error) *pb.Error {
	if err == nil {
		return nil
	}
	out := &pb.Error{Kind: qerr.KindOf(err).String()}
	var e *qerr.Error
	if !errors.As(err, &e) {
		out.Message = cut(err.Error())
		return out
	}
	out.Position = int32(e.Position)
	out.WorkerId = string(e.Worker)
	out.Final = e.Final
	out.RetryAfterMs = e.RetryAfter.Milliseconds()
	if e.Producer != (ids.TaskKey{}) {
		k := e.Producer
		out.Producer = &pb.TaskKey{QueryId: string(k.Query), Stage: uint32(k.Stage), Task: uint32(k.Task), Attempt: uint32(k.Attempt)}
	}
	if err != error(e) {
		// Something that is no *qerr.Error stands around it: its whole text is the message.
		out.Message = cut(err.Error())
		return out
	}
	bare := *e
	bare.Op = ""
	out.Op, out.Message = cut(e.Op), cut(bare.Error())
	return out
}

// FromProto is the error that ToProto was given, without its causes. nil is nil.
func FromProto(p *pb.Error) *qerr.Error {
	if p == nil {
		return nil
	}
	e := &qerr.Error{Kind: kindFrom[p.GetKind()], Op: p.GetOp(), Msg: p.GetMessage(), Position: int(p.GetPosition()), Worker: ids.WorkerID(p.GetWorkerId()), Final: p.GetFinal(),
		RetryAfter: time.Duration(p.GetRetryAfterMs()) * time.Millisecond}
	if k := p.GetProducer(); k != nil {
		e.Producer = ids.TaskKey{Query: ids.QueryID(k.GetQueryId()), Stage: ids.StageID(k.GetStage()), Task: ids.TaskIndex(k.GetTask()), Attempt: ids.Attempt(k.GetAttempt())}
	}
	return e
}

func join(op, text string) string {
	if op == "" {
		return text
	}
	return op + ": " + text
}

// cut shortens a message to what the trailers take, and makes it valid UTF-8, which protobuf insists on.
func cut(text string) string {
	const ellipsis = " …"
	cost := 0
	var out []byte
	for _, r := range text { // an invalid byte comes as U+FFFD
		n := utf8.RuneLen(r)
		if r < ' ' || r > '~' || r == '%' {
			cost += 3 * n
		} else {
			cost += n
		}
		cost += 3 * n // two base64 copies, rounded up
		if cost > trailerBytesMax {
			return string(out) + ellipsis
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
