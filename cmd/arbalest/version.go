package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/spf13/pflag"
)

// version is set by the build for releases (-ldflags "-X main.version=…"); otherwise it is what Go knows of the checkout.
var version string

func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

func runVersion(args []string, out io.Writer) error {
	if err := parse(pflag.NewFlagSet("arbalest version", pflag.ContinueOnError), args, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "arbalest %s, DuckDB %s, %s %s/%s\n", versionText(), duck.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
