#!/usr/bin/env bash
# Lists the packages of one kind. Usage: packages.sh pure|engine
#   pure:   tests that do not link DuckDB; small and fast, so they run with the race detector
#   engine: tests that do; they are built without it
# The suites under integration, which need running processes or take long, are listed in the Makefile.
set -euo pipefail
case "${1:-}" in pure | engine) ;; *) echo "usage: packages.sh pure|engine" >&2; exit 2 ;; esac

# A package's tests link what the package, its tests and its external tests import, all the way down: `go list -deps -test`
# lists the test binaries ("x.test") with their whole set of dependencies.
go list -tags duckdb_arrow -test -f '{{if eq .Name "main"}}{{.ImportPath}}{{range .Deps}} {{.}}{{end}}{{end}}' ./... |
  awk -v want="$1" '
    $1 !~ /\.test$/ { next }
    {
      engine = 0
      for (i = 2; i <= NF; i++) if ($i ~ /^github\.com\/duckdb\/duckdb-go-bindings/) engine = 1
      sub(/\.test$/, "", $1)
      if ($1 ~ /\/integration\/(badinput|chaos|compat|deploy|fleet|hosts|kubernetes|load|logic|oracle|soak|tpch)(\/|$)/) next
      if ((want == "engine") == (engine == 1)) print $1
    }'
