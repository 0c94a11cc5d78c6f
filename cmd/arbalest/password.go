package main

import (
	"fmt"
	"io"

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
