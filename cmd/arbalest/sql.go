package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/shell"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

type clientOptions struct{ server, user, token, ca, cert, key string }

func (o *clientOptions) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.server, "server", "grpc://127.0.0.1:32010", "`URL`: grpc://HOST:PORT or grpc+tls://HOST:PORT")
	f.StringVar(&o.user, "user", "", "log in as `NAME`; the password is asked for, or taken from ARBALEST_PASSWORD")
	f.StringVar(&o.token, "token", "", "bearer `TOKEN` instead of a user")
	f.StringVar(&o.ca, "tls-ca", "", "`FILE` with the authorities (PEM) for grpc+tls; default: the system's")
	f.StringVar(&o.cert, "tls-cert", "", "`FILE` with the client's certificate (PEM), for servers that ask for one")
	f.StringVar(&o.key, "tls-key", "", "`FILE` with its private key (PEM)")
}

func (o *clientOptions) connect(ctx context.Context) (*shell.Client, error) {
	options := shell.Options{Server: o.server, User: o.user, Token: o.token, CAFile: o.ca, CertFile: o.cert, KeyFile: o.key}
	if o.user != "" {
		password, err := askPassword(fmt.Sprintf("password of %s: ", o.user))
		if err != nil {
			return nil, err
		}
		options.Password = password
	}
	return shell.Connect(ctx, options)
}

// askPassword takes ARBALEST_PASSWORD, else asks at the terminal without echo, else reads a line from standard input.
func askPassword(prompt string) (string, error) {
	if p, ok := os.LookupEnv("ARBALEST_PASSWORD"); ok {
		return p, nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fmt.Fprint(os.Stderr, prompt)
	p, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(p), err
}

func runSQL(args []string, out io.Writer) error {
	var o clientOptions
	flags := pflag.NewFlagSet("arbalest sql", pflag.ContinueOnError)
	o.flags(flags)
	command := flags.StringP("command", "c", "", "run `SQL` and leave")
	file := flags.StringP("file", "f", "", "run the statements of `FILE` (separated by semicolons at line ends) and leave")
	format := flags.String("format", "table", "output `FORMAT`: "+strings.Join(shell.Formats, ", "))
	output := flags.StringP("output", "o", "", "write the result to `FILE`")
	if err := parse(flags, args, out); err != nil {
		return err
	}
	if *command != "" && *file != "" {
		return usageError{errors.New("-c and -f exclude each other")}
	}
	if _, err := shell.NewWriter(*format, io.Discard); err != nil {
		return usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *command == "" && *file == "" && term.IsTerminal(int(os.Stdin.Fd())) {
		stop() // the shell cancels queries by itself and must outlive the first Ctrl-C
		return interactive(&o, out)
	}
	statements, err := statementsOf(*command, *file)
	if err != nil {
		return err
	}
	if shell.Binary(*format) {
		if len(statements) != 1 {
			return usageError{fmt.Errorf("--format %s holds one result, and these are %d statements", *format, len(statements))}
		}
		if *output == "" && term.IsTerminal(int(os.Stdout.Fd())) {
			return usageError{fmt.Errorf("--format %s is not for a terminal: give -o FILE", *format)}
		}
	}
	client, err := o.connect(ctx)
	if err != nil {
		return errors.New(shell.Message(err))
	}
	defer client.Close()
	return runStatements(ctx, client, statements, *format, *output, out)
}

func interactive(o *clientOptions, out io.Writer) error {
	ctx := context.Background()
	client, err := o.connect(ctx)
	if err != nil {
		return errors.New(shell.Message(err))
	}
	defer client.Close()
	return shell.Interactive(ctx, client, out, shell.HistoryFile())
}

// statementsOf reads from -c, -f or standard input.
func statementsOf(command, file string) ([]string, error) {
	if command != "" {
		return []string{command}, nil
	}
	text, err := io.ReadAll(os.Stdin)
	if file != "" {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	var all []string
	var pending strings.Builder
	for line := range strings.Lines(string(text)) {
		pending.WriteString(line)
		if strings.HasSuffix(strings.TrimSpace(line), ";") {
			all = append(all, pending.String())
			pending.Reset()
		}
	}
	if strings.TrimSpace(pending.String()) != "" {
		all = append(all, pending.String())
	}
	return all, nil
}

func runStatements(ctx context.Context, client *shell.Client, statements []string, format, output string, out io.Writer) (err error) {
	if output != "" {
		file, createErr := os.Create(output)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	for _, statement := range statements {
		w, err := shell.NewWriter(format, out)
		if err != nil {
			return err
		}
		var show func(float64)
		bar := shell.NewProgress(os.Stderr)
		if term.IsTerminal(int(os.Stderr.Fd())) {
			show = bar.Show
		}
		_, err = client.Run(ctx, statement, w, show)
		bar.Clear()
		if err != nil {
			return errors.New(shell.Message(err))
		}
	}
	return nil
}
