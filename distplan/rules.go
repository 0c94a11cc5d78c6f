package distplan

import "slices"

// A Rule is one way in which a plan differs from the tree it was made of: a rewrite, or a way to bring an operator's rows
// together. Its name says what was done. Each is declared in the file that does it, which registers it, so that tests can
// tell which rules no plan of theirs had.
type Rule struct{ name string }

// registered are the names of all rules. Only declarations at package level add to it.
var registered []string

func newRule(name string) Rule {
	registered = append(registered, name)
	return Rule{name}
}

// Rules lists the names of all rules, sorted. The reasons for a fallback are no rules: see Plan.Fallbacks.
func Rules() []string {
	all := slices.Clone(registered)
	slices.Sort(all)
	return all
}

// fired notes that a rule had its part in the plan.
func (d *distributor) fired(r Rule) {
	if !slices.Contains(d.rules, r.name) {
		d.rules = append(d.rules, r.name)
	}
}
