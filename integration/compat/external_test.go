package compat

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/scenario"
)

// runPython performs the plan by a script of the folder python.
func runPython(script string) func(context.Context, *scenario.Plan) error {
	return func(ctx context.Context, p *scenario.Plan) error {
		python, err := harness.Python()
		if err != nil {
			return err
		}
		return runCommand(ctx, p, python, filepath.Join("python", script))
	}
}

// runV15 performs the plan by the binary over arrow/go v15.
func runV15(ctx context.Context, p *scenario.Plan) error {
	path, err := harness.Path(".tmp", "bin", "v15client")
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf(".tmp/bin/v15client is missing: run `make tools-v15` first")
	}
	return runCommand(ctx, p, path)
}

// runCommand writes the plan and runs a program with the plan's path as its last argument.
func runCommand(ctx context.Context, p *scenario.Plan, name string, args ...string) error {
	plan, err := p.Write()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, name, append(args, plan)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, output)
	}
	return nil
}
