// Package config reads what a person says when starting a node: command-line flags, environment and a YAML file, in that
// order of precedence, over the defaults.
//
// Invariants:
//  1. Every flag --some-name is also the environment variable ARBALEST_SOME_NAME and the YAML key some-name; there is no
//     option that exists in one place only.
//  2. A bad value is reported with its name, where it came from, why it is bad and what is allowed; unknown YAML keys are
//     refused. Validate reports all faults at once.
//  3. The package only reads: it opens no socket and no data.
package config
