// Command arbalest is the whole of Arbalest in one binary: server roles and client.
//
// It is the composition root: flags become a Config, a Config becomes parts wired together, and the parts run until a
// signal drains them. One file is one subcommand; nothing here decides anything about queries.
//
// Invariants:
//  1. What a node opens is registered with onClose at once, and closed in reverse order on every way out.
//  2. The first line on standard output says what a person needs to connect; logs go to standard error.
//  3. Exit codes: 0 done, 1 failed, 2 wrong usage.
package main
