// Package auth proves who says what: it signs and verifies tickets, handles, bearer tokens and cluster credentials, checks
// passwords, and reads Authorization headers. Coordinators and workers use it alike; neither asks the other anything.
//
//	cluster key file ──> Keyring ──┬─ SignTicket / VerifyTicket        what a client or a worker may read
//	                               ├─ SignHandle / VerifyHandle        prepared statements, sessions
//	                               ├─ IssueToken / VerifyToken         who a client is
//	                               └─ Credential / VerifyCredential    that a caller belongs to the cluster
//	users file ────────> Users ──┐
//	tokens file ───────> Tokens ─┼── Logins   who a client proves to be at the door: by password, bearer token of others, or
//	issuer's key set ──> JWTs ───┘            client certificate; failures are counted by address and slow down what follows
//
// Invariants:
//
//  1. Nothing is decoded before its signature was checked, but the small envelope that carries the signature (pb.Signed).
//
//  2. Each kind of signed thing has its own domain under the same key: a ticket is never a valid handle, token or credential.
//
//  3. Clients can read what they hold: nothing signed here contains a secret.
//
//  4. Everything signed expires. Comparisons of secrets take the same time whether they match or not.
//
//  5. A fault is always an error of kind Unauthenticated (or User for things too large), never a panic, and its text never
//     repeats the credential.
//
//  6. A token never chooses how it is checked: algorithms, keys, issuer and audience are the server's.
//
// A Keyring, Users and Tokens are immutable after loading; everything here is safe for concurrent use, and no part has a goroutine
// of its own.
package auth
