// Package qerr is the error vocabulary of Arbalest: what kind of thing went wrong, during which operation, and why.
//
// Invariants:
//  1. Every error that leaves a package for another node or for a client has a Kind; an error without one is INTERNAL.
//  2. Predicates (KindOf, Is) answer the same before and after a gRPC hop: package grpcerr carries the whole Error as a
//     status detail. Nothing ever matches on message text.
//  3. Messages are for people: what, where, why, what is allowed. They hold no secrets.
//
// The package is pure.
package qerr
