package shell

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Message is an error as a person should read it: without gRPC's wrapping, with the code only where it helps.
func Message(err error) string {
	s, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	switch s.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unimplemented:
		return s.Message()
	}
	return s.Code().String() + ": " + s.Message()
}
