// Package flightx carries record batches over Arrow Flight: the Reader that everything which yields batches implements, Send
// which writes one to a DoGet stream, Clients which opens streams at other nodes, and the gRPC options that coordinator and
// worker share.
//
//	Reader ──Send──> gRPC stream  ~~~network~~~>  Clients.Open ──> Reader
//
// Invariants:
//  1. A batch that Next returns belongs to the caller, who releases it exactly once on every path. A Reader is closed exactly
//     by whoever holds it last; Send does not close its reader.
//  2. Send never puts more than maxBytes into one message, unless a single row is larger; such a row travels alone.
//  3. A stream's schema goes out before its first batch: at once, so that clients which open streams one by one are not kept
//     waiting, unless the reader says that its schema should wait (Deferred).
//  4. Nothing here buffers more than two batches a stream (one being sent, one read ahead); a slow reader holds back the
//     source.
//  5. Errors that come out are *qerr.Error, whatever the transport said; no panic of a handler leaves the process.
//
// Messages have their own codec (codec.go): one copy from Arrow buffers into the pooled buffer that gRPC writes from, and
// one copy on receipt. It speaks plain protobuf, so that every Flight client and server understands it.
package flightx
