package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/arbalest-sql/arbalest/internal/auth"
	"github.com/spf13/pflag"
)

func runHashPassword(args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("arbalest hash-password", pflag.ContinueOnError)
	user := flags.String("user", "", "`NAME` of the user, to print the whole line")
	if err := parse(flags, args, out); err != nil {
		return err
	}
	password, err := askPassword("password: ")
	if err != nil {
		return err
	}
	hash := auth.HashPassword(password)
	if *user != "" {
		fmt.Fprintf(out, "%s:", *user)
	}
	fmt.Fprintln(out, hash)
	return nil
}

// runMakeToken makes a bearer token for a program. The token goes to standard error, to be handed over once; the line for the file,
// which holds only its hash, to standard output.
func runMakeToken(args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("arbalest make-token", pflag.ContinueOnError)
	user := flags.String("user", "", "`NAME` of the user that the token is for")
	if err := parse(flags, args, out); err != nil {
		return err
	}
	if *user == "" {
		return usageError{errors.New("--user is missing: whose token is it?")}
	}
	token, hash := auth.NewToken()
	fmt.Fprintln(os.Stderr, token)
	fmt.Fprintf(out, "%s:%s\n", *user, hash)
	return nil
}
