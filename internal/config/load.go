package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// ErrHelp is returned by Load when --help was asked for; the caller prints the usage and exits with 0.
var ErrHelp = pflag.ErrHelp

// EnvName is the environment variable of a flag.
func EnvName(flag string) string {
	return "ARBALEST_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Load parses args into flags and fills what they leave open from the environment and then from the YAML file that the
// flag "config" names, if the set has one. getenv is os.LookupEnv in production.
func Load(flags *pflag.FlagSet, args []string, getenv func(string) (string, bool)) error {
	flags.Usage = func() {}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := fromEnvironment(flags, getenv); err != nil {
		return err
	}
	file := flags.Lookup("config")
	if file == nil || file.Value.String() == "" {
		return nil
	}
	return fromFile(flags, file.Value.String())
}

func fromEnvironment(flags *pflag.FlagSet, getenv func(string) (string, bool)) error {
	var faults []error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := getenv(EnvName(f.Name))
		if f.Changed || !ok || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			faults = append(faults, fmt.Errorf("environment variable %s: %w", EnvName(f.Name), err))
		}
	})
	return errors.Join(faults...)
}

func fromFile(flags *pflag.FlagSet, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var keys map[string]yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&keys); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	var faults []error
	for _, key := range sortedKeys(keys) {
		node := keys[key]
		f := flags.Lookup(key)
		if f == nil || key == "config" || key == "help" {
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q; the keys are the flag names: %s",
				path, node.Line, key, strings.Join(names(flags), ", ")))
			continue
		}
		if f.Changed {
			continue
		}
		values, err := scalars(node)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %s: %w", path, node.Line, key, err))
			continue
		}
		for _, v := range values {
			if err := flags.Set(key, v); err != nil {
				faults = append(faults, fmt.Errorf("%s:%d: %w", path, node.Line, err))
			}
		}
	}
	return errors.Join(faults...)
}

// scalars gives the value, or the values of a list, as text.
func scalars(n yaml.Node) ([]string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}, nil
	case yaml.SequenceNode:
		var all []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("want a value or a list of values")
			}
			all = append(all, item.Value)
		}
		return all, nil
	}
	return nil, errors.New("want a value or a list of values")
}

func sortedKeys(m map[string]yaml.Node) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func names(flags *pflag.FlagSet) []string {
	var all []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			all = append(all, f.Name)
		}
	})
	return all
}
