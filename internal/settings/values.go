package settings

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// The names of the options.
const (
	Distributed      = "arbalest.distributed"
	Partitions       = "arbalest.partitions"
	JoinStrategy     = "arbalest.join_strategy"
	Adaptive         = "arbalest.adaptive"
	Spill            = "arbalest.spill"
	Results          = "arbalest.results"
	OrderedEndpoints = "arbalest.ordered_endpoints"
	CreateTemporary  = "arbalest.create_temporary"
	QueryTimeout     = "arbalest.query_timeout"
	TaskAttempts     = "arbalest.task_attempts"
	ResourceGroup    = "arbalest.resource_group"
	Catalog          = "catalog"
	Schema           = "schema"
	TimeZone         = "TimeZone"
)

// The words that options take.
const (
	Auto      = "auto"
	Always    = "always"
	Never     = "never"
	Exchange  = "exchange"
	Broadcast = "broadcast"
	Stream    = "stream"
	Spool     = "spool"
)

// DefaultCatalog and DefaultSchema are where unqualified names are looked up in a fresh session.
const (
	DefaultCatalog = "arbalest"
	DefaultSchema  = "main"
)

// Values are the options of one session at one moment. They are immutable and may be shared; the zero Values are the
// defaults.
type Values struct {
	// changed holds, by canonical name, the canonical text of the options that are not at their default. Never written
	// after it was made.
	changed map[string]string
}

// Defaults returns the options of a fresh session.
func Defaults() Values { return Values{} }

// Set returns the values with one option changed. The value is a string, a bool or any Go number: SQL literals and
// Flight SQL session option values alike. A fault is a User error that says which option, why, and what is allowed.
func (v Values) Set(name string, value any) (Values, error) {
	o, err := find(name)
	if err != nil {
		return v, err
	}
	text, err := o.parse(value)
	if err != nil {
		return v, qerr.New(qerr.User, "option %s: %s is not allowed: %v; allowed: %s", o.name, show(value), err, o.allowed)
	}
	return v.with(o, text), nil
}

// Reset returns the values with one option back at its default; an unknown name is a User error.
func (v Values) Reset(name string) (Values, error) {
	o, err := find(name)
	if err != nil {
		return v, err
	}
	return v.with(o, o.def), nil
}

func (v Values) with(o *option, text string) Values {
	changed := make(map[string]string, len(v.changed)+1)
	for k, t := range v.changed {
		changed[k] = t
	}
	if text == o.def {
		delete(changed, o.name)
	} else {
		changed[o.name] = text
	}
	return Values{changed: changed}
}

// Get returns the canonical text of an option's value, "" for a name that does not exist (see Known).
func (v Values) Get(name string) string {
	o, err := find(name)
	if err != nil {
		return ""
	}
	return v.text(o)
}

// Known reports whether an option of this name exists, and its canonical spelling.
func Known(name string) (canonical string, ok bool) {
	o, err := find(name)
	if err != nil {
		return "", false
	}
	return o.name, true
}

// Typed returns an option's value in its own type, as Flight SQL's GetSessionOptions tells it: string, int64 or bool;
// nil for a name that does not exist. Durations are strings.
func (v Values) Typed(name string) any {
	o, err := find(name)
	if err != nil {
		return nil
	}
	text := v.text(o)
	switch o.kind {
	case integerKind:
		n, _ := strconv.ParseInt(text, 10, 64) // Canonical text: cannot fail.
		return n
	case boolKind:
		return text == "true"
	default:
		return text
	}
}

func (v Values) text(o *option) string {
	if t, ok := v.changed[o.name]; ok {
		return t
	}
	return o.def
}

func (v Values) must(name string) string {
	return v.text(byName[strings.ToLower(name)])
}

func (v Values) int(name string) int {
	n, _ := strconv.Atoi(v.must(name)) // Canonical text: cannot fail.
	return n
}

// Distributed is auto, always or never: whether small data and single workers get one stage.
func (v Values) Distributed() string { return v.must(Distributed) }

// Partitions is the number of hash partitions of an exchange; 0 leaves the choice to the planner.
func (v Values) Partitions() int { return v.int(Partitions) }

// JoinStrategy is auto, exchange or broadcast.
func (v Values) JoinStrategy() string { return v.must(JoinStrategy) }

// Adaptive is auto, always or never: whether a query's plan changes while it runs, by exact sizes.
func (v Values) Adaptive() string { return v.must(Adaptive) }

// Spill is auto or always.
func (v Values) Spill() string { return v.must(Spill) }

// Results is stream or spool.
func (v Values) Results() string { return v.must(Results) }

// CreateTemporary says whether CREATE TABLE and ingest without TEMPORARY make session-temporary tables.
func (v Values) CreateTemporary() bool { return v.must(CreateTemporary) == "true" }

// OrderedEndpoints says whether an ordered result may have several endpoints, to be read in their order.
func (v Values) OrderedEndpoints() bool { return v.must(OrderedEndpoints) == "true" }

// QueryTimeout is how long a query may take from submit to its last row; 0 is without limit.
func (v Values) QueryTimeout() time.Duration {
	d, _ := time.ParseDuration(v.must(QueryTimeout)) // Canonical text: cannot fail.
	return d
}

// TaskAttempts is how often a task is tried before its query fails, at least 1.
func (v Values) TaskAttempts() int { return v.int(TaskAttempts) }

// Catalog is where names without a catalog are looked up.
func (v Values) Catalog() string { return v.must(Catalog) }

// Schema is the db schema where names without one are looked up.
func (v Values) Schema() string { return v.must(Schema) }

// TimeZone is the IANA name by which timestamps with time zone are read, cut and printed.
func (v Values) TimeZone() string { return v.must(TimeZone) }

// Fingerprint is a text that is the same for values of the same effect and differs otherwise; a cache key.
func (v Values) Fingerprint() string {
	names := make([]string, 0, len(v.changed))
	for name := range v.changed {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(strconv.Quote(name))
		b.WriteByte('=')
		b.WriteString(strconv.Quote(v.changed[name]))
		b.WriteByte(';')
	}
	return b.String()
}

// A Setting is one option as sys.settings shows it.
type Setting struct {
	Name, Value, Default string
	// Type is "string", "integer", "boolean" or "duration".
	Type string
	// Allowed says in words which values are taken.
	Allowed     string
	Description string
}

// All lists every option with its value, in the order of the catalogue.
func (v Values) All() []Setting {
	all := make([]Setting, len(catalogue))
	for i := range catalogue {
		o := &catalogue[i]
		all[i] = Setting{Name: o.name, Value: v.text(o), Default: o.def, Type: string(o.kind), Allowed: o.allowed, Description: o.doc}
	}
	return all
}

// Changed are the settings that are not the defaults, by name: what From makes the same settings of.
func (v Values) Changed() map[string]string {
	changed := map[string]string{}
	for _, s := range v.All() {
		if s.Value != s.Default {
			changed[s.Name] = s.Value
		}
	}
	return changed
}

// From is the inverse of Changed. The error is that of a setting which is not known here, or not with this value.
func From(changed map[string]string) (values Values, err error) {
	values = Defaults()
	for name, value := range changed {
		if values, err = values.Set(name, value); err != nil {
			return values, err
		}
	}
	return values, nil
}

// ResourceGroup is the group of queries that share places with this session's; "" is the user's own.
func (v Values) ResourceGroup() string { return v.must(ResourceGroup) }
