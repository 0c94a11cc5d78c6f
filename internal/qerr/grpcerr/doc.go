// Package grpcerr carries qerr.Error over gRPC and back: servers answer ToStatus(err), clients look at FromStatus(err).
//
//	worker: qerr.Error ─ ToStatus ─► status{code, message, detail pb.Error} ─ hop ─► FromStatus ─ qerr.Error :coordinator
//
// Invariants:
//  1. Kinds map one to one to gRPC codes, so that a client without our proto, and a peer that lost the detail, still know
//     the kind. IO is DataLoss and not Unavailable: reading a corrupt file again does not help, and Flight drivers send a
//     call again, or go to another location, on Unavailable. FetchFailed is Aborted: the query may be tried again from
//     the start, the call may not.
//  2. qerr.KindOf, and the text of the error, answer the same before and after a hop; the cause chain does not survive.
//  3. The encoded trailers stay under what Java's Netty accepts (8 KiB for all of them): a longer message is cut.
//  4. io.EOF ends streams and is no error: FromStatus passes it through.
package grpcerr
