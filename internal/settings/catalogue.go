package settings

import (
	"fmt"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// kind is the type of an option's value.
type kind string

const (
	stringKind   kind = "string"
	integerKind  kind = "integer"
	boolKind     kind = "boolean"
	durationKind kind = "duration"
)

// option is one entry of the catalogue.
type option struct {
	name string
	kind kind
	// def is the default, in canonical text.
	def     string
	allowed string
	doc     string
	// parse validates a value and returns its canonical text. Its error is a phrase that says why not.
	parse func(value any) (string, error)
}

const (
	// partitionsMax bounds the files and streams of one exchange: each producer opens one buffer a partition.
	partitionsMax = 4096
	// attemptsMax bounds how long a task that always fails can hold a query (backoff grows to 10 s).
	attemptsMax = 16
)

// catalogue is every option there is, in the order in which sys.settings lists them.
var catalogue = []option{
	word(Distributed, "whether a query runs on several workers: auto leaves small data on one", Auto, Always, Never),
	integer(Partitions, 0, 0, partitionsMax, "hash partitions of an exchange; 0 lets the planner choose"),
	word(JoinStrategy, "how joins get their inputs together; a choice that is illegal for a join gives way", Auto, Exchange, Broadcast),
	word(Adaptive, "whether plans change while they run, by exact sizes: always does so even where it saves nothing", Auto, Always, Never),
	word(Spill, "when exchanged data goes to disk: auto does so over the budget", Auto, Always),
	word(Results, "stream results from the engine to the reader, or spool them to be read again", Stream, Spool),
	boolean(OrderedEndpoints, false, "several endpoints, to be read in their order, for ordered results, which many tasks then sort"),
	boolean(CreateTemporary, false, "whether CREATE TABLE and ingest that do not say TEMPORARY make session-temporary tables, instead of being refused"),
	{name: QueryTimeout, kind: durationKind, def: "0s", parse: parseDuration, allowed: durationAllowed,
		doc: "how long a query may take; 0 is without limit"},
	integer(TaskAttempts, 4, 1, attemptsMax, "how often a task is tried before its query fails"),
	{name: ResourceGroup, kind: stringKind, def: "", parse: parseGroup, allowed: "empty for the user's own group, or " + nameAllowed,
		doc: "the group of queries that running and waiting ones are counted in"},
	{name: Catalog, kind: stringKind, def: DefaultCatalog, parse: parseName, allowed: nameAllowed,
		doc: "the catalog of names that give none"},
	{name: Schema, kind: stringKind, def: DefaultSchema, parse: parseName, allowed: nameAllowed,
		doc: "the db schema of names that give none"},
	{name: TimeZone, kind: stringKind, def: "UTC", parse: parseTimeZone, allowed: "an IANA time zone such as 'UTC' or 'Europe/Berlin'",
		doc: "the time zone of timestamps with time zone"},
}

// byName finds options by their name in lower case.
var byName = func() map[string]*option {
	m := make(map[string]*option, len(catalogue))
	for i := range catalogue {
		m[strings.ToLower(catalogue[i].name)] = &catalogue[i]
	}
	return m
}()

func find(name string) (*option, error) {
	if o, ok := byName[strings.ToLower(name)]; ok {
		return o, nil
	}
	return nil, qerr.New(qerr.User, "there is no option %q; the options are: %s", clip(name), strings.Join(Names(), ", "))
}

// Names lists the options in the order of the catalogue.
func Names() []string {
	names := make([]string, len(catalogue))
	for i := range catalogue {
		names[i] = catalogue[i].name
	}
	return names
}

func word(name, doc string, words ...string) option {
	return option{name: name, kind: stringKind, def: words[0], doc: doc, allowed: strings.Join(words, ", "),
		parse: func(value any) (string, error) { return parseWord(value, words) }}
}

func integer(name string, def, low, high int64, doc string) option {
	return option{name: name, kind: integerKind, def: fmt.Sprint(def), doc: doc,
		allowed: fmt.Sprintf("a whole number from %d to %d", low, high),
		parse:   func(value any) (string, error) { return parseInteger(value, low, high) }}
}

func boolean(name string, def bool, doc string) option {
	return option{name: name, kind: boolKind, def: fmt.Sprint(def), doc: doc, allowed: "true, false", parse: parseBool}
}
