package contest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/arbalest-sql/arbalest/distplan"
)

// Stats count what a run of many statements came across. Safe for concurrent use.
type Stats struct {
	mu sync.Mutex
	// Statements were compared; of them Refused were refused by both sides, and Empty had no rows.
	Statements, Refused, Empty, Skipped, Runs int
	// Plans were looked at; of them Exchanging had two exchanges or more.
	Plans, Exchanging int
	// Rules count the plans that each rule of distplan had its part in, Shapes those in which each kind of operator or
	// exchange stood, Fallbacks the reasons for gathering.
	Rules, Shapes, Fallbacks map[string]int
	// Accepted count the known differences that were let pass.
	Accepted map[string]int
}

// Accept counts a known difference.
func (s *Stats) Accept(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Accepted == nil {
		s.Accepted = map[string]int{}
	}
	s.Accepted[name]++
}

// AddFile adds the counts that a file holds, if there is one, and then writes the sum there: a long run may be cut into
// several processes.
func (s *Stats) AddFile(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		other := &Stats{}
		if err := json.Unmarshal(text, other); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.add(other)
	}
	if text, err = json.MarshalIndent(s, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Add adds the counts of a run that has ended.
func (s *Stats) Add(other *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(other)
}

func (s *Stats) add(other *Stats) {
	for _, c := range []struct {
		to   *int
		from int
	}{
		{&s.Statements, other.Statements}, {&s.Refused, other.Refused}, {&s.Empty, other.Empty}, {&s.Skipped, other.Skipped},
		{&s.Runs, other.Runs}, {&s.Plans, other.Plans}, {&s.Exchanging, other.Exchanging},
	} {
		*c.to += c.from
	}
	for _, c := range []struct {
		to   *map[string]int
		from map[string]int
	}{{&s.Rules, other.Rules}, {&s.Shapes, other.Shapes}, {&s.Fallbacks, other.Fallbacks}, {&s.Accepted, other.Accepted}} {
		for name, n := range c.from {
			if *c.to == nil {
				*c.to = map[string]int{}
			}
			(*c.to)[name] += n
		}
	}
}

// Count adds a statement that was compared in so many runs.
func (s *Stats) Count(w *Want, runs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Runs += runs
	switch {
	case w == nil:
		s.Skipped++
		return
	case w.Refusal != nil:
		s.Refused++
	case len(w.Rows.Cells) == 0:
		s.Empty++
	}
	s.Statements++
}

var (
	exchangeLine = regexp.MustCompile(`^ *exchange ([a-z]+)`)
	operatorLine = regexp.MustCompile(`^ *(scan|filter|project|aggregate partial|aggregate final|aggregate|distinct on|distinct|top|limit|order|window|` +
		`union all|union|intersect all|intersect|except all|except|cross product|with ref|with|values|(?:delim )?join(?: #[0-9]+ once=[a-z]+)? [a-z_]+)`)
	detail = regexp.MustCompile(`\(.*\)|#[0-9]+|once=[a-z]+`)
	spaces = regexp.MustCompile(` +`)
)

// CountPlan adds what EXPLAIN printed.
func (s *Stats) CountPlan(explain string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Rules == nil {
		s.Rules, s.Shapes, s.Fallbacks = map[string]int{}, map[string]int{}, map[string]int{}
		for _, name := range distplan.Rules() {
			s.Rules[name] = 0
		}
	}
	s.Plans++
	exchanges, shapes, reasons := 0, map[string]bool{}, map[string]bool{}
	for line := range strings.SplitSeq(explain, "\n") {
		if strings.Contains(line, "replicated") {
			shapes["scan replicated"] = true
		}
		if m := exchangeLine.FindStringSubmatch(line); m != nil {
			exchanges++
			shapes["exchange "+m[1]] = true
		} else if m := operatorLine.FindStringSubmatch(line); m != nil {
			shapes[spaces.ReplaceAllString(detail.ReplaceAllString(m[1], ""), " ")] = true
		} else if name, ok := strings.CutPrefix(line, "rule: "); ok {
			s.Rules[name]++
		} else if reason, ok := strings.CutPrefix(line, "fallback: "); ok {
			reasons[spaces.ReplaceAllString(detail.ReplaceAllString(reason, ""), " ")] = true
		}
	}
	if exchanges >= 2 {
		s.Exchanging++
	}
	for r := range shapes {
		s.Shapes[r]++
	}
	for r := range reasons {
		s.Fallbacks[r]++
	}
}

// The coverage that a long run must have.
const (
	coverageQueries = 20_000
	ruleFiredMin    = 100
	exchangingMin   = 50 // percent of plans
	answersWithRows = 70 // percent of answers
	refusedMax      = 15 // percent of statements
	judgedQueries   = 1000
)

// Faults says in what a run falls short: the generator compares nothing with nothing, or makes nonsense, or, over a long
// run, leaves a rule alone. Short runs are not judged.
func (s *Stats) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var faults []string
	answered := s.Statements - s.Refused
	if s.Statements < judgedQueries {
		return nil
	}
	if share := percent(answered-s.Empty, answered); share < answersWithRows {
		faults = append(faults, fmt.Sprintf("only %d %% of the answers have rows, want %d", share, answersWithRows))
	}
	if share := percent(s.Refused, s.Statements); share > refusedMax {
		faults = append(faults, fmt.Sprintf("%d %% of the statements were refused, want at most %d", share, refusedMax))
	}
	if share := percent(s.Exchanging, s.Plans); share < exchangingMin {
		faults = append(faults, fmt.Sprintf("only %d %% of the plans have two exchanges, want %d", share, exchangingMin))
	}
	if s.Statements+s.Skipped < coverageQueries {
		return faults
	}
	for _, name := range sortedKeys(s.Rules) {
		if n := s.Rules[name]; n < ruleFiredMin {
			faults = append(faults, fmt.Sprintf("rule %q fired in %d plans, want %d", name, n, ruleFiredMin))
		}
	}
	return faults
}

// String tells the counts.
func (s *Stats) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	answered := s.Statements - s.Refused
	fmt.Fprintf(&b, "%d statements in %d runs: %d refused by both sides, %d skipped; %d answered, %d %% of them with rows\n",
		s.Statements, s.Runs, s.Refused, s.Skipped, answered, percent(answered-s.Empty, answered))
	fmt.Fprintf(&b, "%d plans, %d %% of them with two exchanges or more\n", s.Plans, percent(s.Exchanging, s.Plans))
	b.WriteString("rules of distplan, by plans:" + listing(s.Rules) + "\n")
	b.WriteString("operators and exchanges, by plans that have them:" + listing(s.Shapes) + "\n")
	b.WriteString("reasons to gather, by plans:" + listing(s.Fallbacks) + "\n")
	b.WriteString("known differences, accepted:" + listing(s.Accepted))
	return b.String()
}

func percent(part, whole int) int { return 100 * part / max(whole, 1) }

func sortedKeys(counts map[string]int) []string { return slices.Sorted(maps.Keys(counts)) }

func listing(counts map[string]int) string {
	names := sortedKeys(counts)
	slices.SortStableFunc(names, func(a, b string) int { return counts[b] - counts[a] })
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %6d %s", counts[name], name)
	}
	return b.String()
}
