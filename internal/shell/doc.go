// Package shell is the client side of the command line: it speaks to a server as any Flight SQL client does, and knows
// nothing of what is behind the door.
//
// Flow of a statement: PollFlightInfo until the endpoints are complete (the progress bar reads the replies), then DoGet
// at each endpoint's location, batches handed to a Writer in the order of the endpoints.
//
// Invariants:
//  1. Ctrl-C cancels the running query at the server (CancelFlightInfo) and leaves the session usable.
//  2. Every batch that a Writer is given is borrowed: the caller releases it.
//  3. Nothing is held of a result but what the format needs: table output looks at the first rows to choose widths.
package shell
