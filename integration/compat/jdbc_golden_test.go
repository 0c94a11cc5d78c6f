package compat

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A calls file has blocks of a call and its rows, in the manner of datadriven:
//
//	# what is to be seen
//	getTables [null, "main", "nat%", ["TABLE"]]
//	----
//	TABLE_CAT | TABLE_SCHEM | …
//	arbalest | main | …
//
// With -rewrite the rows become those that came; review the diff.
type callsFile struct {
	path   string
	blocks []callBlock
}

type callBlock struct {
	head string // comments and the call, as they stand in the file
	call javaCall
	want string
}

// rewriting is the flag -rewrite, where the tests have one.
func rewriting() bool {
	f := flag.Lookup("rewrite")
	return f != nil && f.Value.String() == "true"
}

func readCalls(t *testing.T, path string) *callsFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file := &callsFile{path: path}
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		head, want, _ := strings.Cut(block+"\n", "----\n")
		b := callBlock{head: strings.TrimLeft(head, "\n"), want: strings.TrimSuffix(want, "\n")}
		lines := strings.Split(strings.TrimSpace(head), "\n")
		name, arguments, _ := strings.Cut(lines[len(lines)-1], " ")
		b.call = javaCall{Name: name, Arguments: json.RawMessage(arguments)}
		if !json.Valid(b.call.Arguments) {
			t.Fatalf("%s: the arguments of %s are no JSON: %s", path, name, arguments)
		}
		file.blocks = append(file.blocks, b)
	}
	return file
}

func (f *callsFile) list() []javaCall {
	var all []javaCall
	for _, b := range f.blocks {
		all = append(all, b.call)
	}
	return all
}

// compare holds what each call gave against the file.
func (f *callsFile) compare(t *testing.T, got map[string]string, places *strings.Replacer) {
	t.Helper()
	var made []string
	for i, b := range f.blocks {
		now, ok := got[strconv.Itoa(i)]
		now = places.Replace(now)
		made = append(made, strings.TrimSuffix(b.head+"----\n"+now, "\n")+"\n")
		if !rewriting() && (!ok || now != b.want) {
			t.Errorf("%s %s:\n%s\nwant\n%s", b.call.Name, b.call.Arguments, now, b.want)
		}
	}
	if rewriting() {
		rewriteFile(t, f.path, strings.Join(made, "\n"))
	}
}

func rewriteFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// gettersMax is the number of methods without arguments in java.sql.DatabaseMetaData of Java 17.
const gettersMax = 142

// compareGetters holds what each getter of DatabaseMetaData gives against a table with lines "name | source | value". The source
// is "server" where the value is ours, and "driver" where the driver says it without asking. A getter that is not in the table,
// or whose source nobody has reviewed ("?"), fails. With -rewrite values become those that came, and new getters get "?".
func compareGetters(t *testing.T, path string, got map[string]string, places *strings.Replacer) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != gettersMax {
		t.Errorf("%d getters were called, want %d", len(got), gettersMax)
	}
	var made []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		fields := strings.SplitN(line, " | ", 3)
		if strings.HasPrefix(line, "#") || len(fields) != 3 {
			made = append(made, line)
			continue
		}
		name, source, want := fields[0], fields[1], fields[2]
		now, ok := got[name]
		now = places.Replace(strings.ReplaceAll(now, "\n", " ⏎ "))
		seen[name] = true
		made = append(made, fmt.Sprintf("%s | %s | %s", name, source, now))
		switch {
		case !ok:
			t.Errorf("%s is in the table and was not called", name)
		case source != "server" && source != "driver":
			t.Errorf("%s: source %q is not reviewed", name, source)
		case !rewriting() && now != want:
			t.Errorf("%s: %s, want %s", name, now, want)
		case strings.HasPrefix(now, "throws"):
			t.Errorf("%s does not answer: %s", name, now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !seen[name] {
			t.Errorf("%s is not in the table: %s", name, got[name])
			made = append(made, fmt.Sprintf("%s | ? | %s", name, places.Replace(strings.ReplaceAll(got[name], "\n", " ⏎ "))))
		}
	}
	if rewriting() {
		rewriteFile(t, path, strings.Join(made, "\n")+"\n")
	}
}
