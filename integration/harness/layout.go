package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Root gives the repository's top folder: the nearest one above the current folder that holds the product's go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "integration", "harness", "layout.go")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the repository: no folder above this one holds integration/harness")
		}
		dir = parent
	}
}

// Binary gives the path of bin/arbalest, or of what ARBALEST_BINARY names.
func Binary() (string, error) {
	if path := os.Getenv("ARBALEST_BINARY"); path != "" {
		return path, nil
	}
	return built("bin/arbalest", "make build")
}

// Python gives the interpreter of the virtual environment that holds the oracle and the Python clients.
func Python() (string, error) { return built(".tmp/venv/bin/python", "make tools-python") }

// Etcd is the path of the etcd server of a version.
func Etcd(version string) (string, error) { return Tool("etcd-"+version, "make tools-etcd") }

// Tool is the path of a program that a target of the Makefile builds for the tests.
func Tool(name, target string) (string, error) { return built(".tmp/bin/"+name, target) }

// Generator gives the TPC-H data generator.
func Generator() (string, error) { return built(".tmp/venv/bin/tpchgen-cli", "make tools-python") }

// Path joins parts to the repository's top folder.
func Path(parts ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root}, parts...)...), nil
}

// built gives a file that a make target makes, and names the target when it is missing.
func built(relative, target string) (string, error) {
	path, err := Path(filepath.FromSlash(relative))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing: run `%s` first", relative, target)
	}
	return path, nil
}
