package contest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Stats count what a run of many statements came across. Safe for concurrent use.
type Stats struct {
	mu sync.Mutex
	// Statements were compared; of them Refused were refused by both sides, and Empty had no rows.
	Statements, Refused, Empty, Skipped, Runs int
	// Plans were looked at; of them Exchanging had two exchanges or more.
	Plans, Exchanging int
	// Rules count the plans in which each kind of operator or exchange stood, Fallbacks the reasons for gathering.
	Rules, Fallbacks map[string]int
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
		s.Rules, s.Fallbacks = map[string]int{}, map[string]int{}
	}
	s.Plans++
	exchanges, rules, reasons := 0, map[string]bool{}, map[string]bool{}
	for line := range strings.SplitSeq(explain, "\n") {
		if strings.Contains(line, "replicated") {
			rules["scan replicated"] = true
		}
		if m := exchangeLine.FindStringSubmatch(line); m != nil {
			exchanges++
			rules["exchange "+m[1]] = true
		} else if m := operatorLine.FindStringSubmatch(line); m != nil {
			rules[spaces.ReplaceAllString(detail.ReplaceAllString(m[1], ""), " ")] = true
		} else if reason, ok := strings.CutPrefix(line, "fallback: "); ok {
			reasons[spaces.ReplaceAllString(detail.ReplaceAllString(reason, ""), " ")] = true
		}
	}
	if exchanges >= 2 {
		s.Exchanging++
	}
	for r := range rules {
		s.Rules[r]++
	}
	for r := range reasons {
		s.Fallbacks[r]++
	}
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
	b.WriteString("operators and exchanges, by plans that have them:" + listing(s.Rules) + "\n")
	b.WriteString("reasons to gather:" + listing(s.Fallbacks) + "\n")
	b.WriteString("known differences, accepted:" + listing(s.Accepted))
	return b.String()
}

func percent(part, whole int) int { return 100 * part / max(whole, 1) }

func listing(counts map[string]int) string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %6d %s", counts[name], name)
	}
	return b.String()
}
