// Package flightx carries record batches over Arrow Flight: the Reader that everything which yields batches implements, Send
// which writes one to a DoGet stream, Clients which opens streams at other nodes, and the gRPC options that coordinator and
// worker share.
//
//	Reader ──Send──> gRPC stream  ~~~network~~~>  Clients.Open ──> Reader
//
// Invariants:
//
//  1. A batch that Next returns belongs to the caller, who releases it exactly once on every path. A Reader is closed exactly
//     by whoever holds it last; Send does not close its reader.
//
//  2. Send never puts more than maxBytes into one message, unless a single row is larger; such a row travels alone.
//
//  3. A stream's schema goes out before its first batch: at once, so that clients which open streams one by one are not kept
//     waiting, unless the reader says that its schema should wait (Deferred).
//
//  4. Nothing here buffers more than two batches a stream (one being sent, one read ahead); a slow reader holds back the
//     source.
//
//  5. Errors that come out are *qerr.Error, whatever the transport said; no panic of a handler leaves the process.
//
//  6. A batch that was sent stays retained until gRPC has written it to the connection (frame.go), also after Send returned. What
//     gRPC drops of a stream that ended early is given back by the collector, which is asked for that.
//
//  7. The body of a received message lives outside of the Go heap (arena.go) until the last batch made of it is released. Its
//     memory is used again after that, so nothing of a batch may be kept beyond its release.
//
// Messages have their own codec (codec.go): outgoing, gRPC reads the large buffers of a batch where they are; incoming, a body
// is copied once, out of the HTTP/2 frames, into memory that was not cleared before. It speaks plain protobuf, so that every
// Flight client and server understands it.
package flightx
