package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/arbalest-sql/arbalest/internal/config"
	"github.com/spf13/pflag"
)

// Exit codes: scripts tell a failure from a wrong call.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// A usageError is a wrong call, as against a call that failed.
type usageError struct{ error }

type subcommand struct {
	name, summary string
	run           func(args []string, out io.Writer) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"serve", "a coordinator and workers in one process", runServe},
		{"coordinator", "a coordinator that workers join", runCoordinator},
		{"worker", "a worker that joins a coordinator", runWorker},
		{"sql", "run statements at a server; interactive without -c or -f", runSQL},
		{"status", "members and running queries of a server", runStatus},
		{"hash-password", "read a password and print its line for a --users file", runHashPassword},
		{"make-token", "make a bearer token and its line for a --tokens file", runMakeToken},
		{"version", "print the versions of this program and its engine", runVersion},
	}
}

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

func dispatch(args []string, out, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		printUsage(out)
		if len(args) == 0 {
			return exitUsage
		}
		return exitDone
	}
	for _, c := range subcommands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(args[1:], out)
		var wrong usageError
		switch {
		case err == nil, errors.Is(err, config.ErrHelp):
			return exitDone
		case errors.As(err, &wrong):
			fmt.Fprintf(errOut, "arbalest %s: %v\n'arbalest %s --help' lists the options\n", c.name, err, c.name)
			return exitUsage
		}
		fmt.Fprintf(errOut, "arbalest %s: %v\n", c.name, err)
		return exitFailed
	}
	fmt.Fprintf(errOut, "arbalest: %q is no subcommand\n", args[0])
	printUsage(errOut)
	return exitUsage
}

func printUsage(out io.Writer) {
	fmt.Fprint(out, "arbalest: a distributed SQL engine behind an Arrow Flight SQL door\n\nusage: arbalest SUBCOMMAND [options]\n\n")
	for _, c := range subcommands() {
		fmt.Fprintf(out, "  %-14s %s\n", c.name, c.summary)
	}
	fmt.Fprint(out, "\n'arbalest SUBCOMMAND --help' lists the options of one.\n")
}

// parse reads a subcommand's options; help prints them. Positional arguments are refused: no subcommand takes any.
func parse(flags *pflag.FlagSet, args []string, out io.Writer) error {
	err := config.Load(flags, args, os.LookupEnv)
	if errors.Is(err, config.ErrHelp) {
		fmt.Fprintf(out, "usage: %s [options]\n\n%s\nEvery option is also an environment variable: --some-name is ARBALEST_SOME_NAME.\n", flags.Name(), flags.FlagUsages())
		return err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}
