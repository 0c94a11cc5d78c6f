package compat

import (
	"fmt"
	"strings"
)

const tableHead = `# Which client does what

Made by ` + "`make compat`" + ` from what each client's harness measured against running servers; never edited by hand. A cell of
` + "`make test`" + ` that comes out differently fails it. "yes" is a check that passed; "no" and "n/a" (there is nothing to do it with)
say why in a footnote; "·" is not measured. What is checked stands in ` + "`integration/compat/`" + `.

`

// Table prints docs/compatibility.md: client x feature, the clients' versions, and each reason as a footnote.
func Table(columns map[string]*Column) string {
	var b strings.Builder
	b.WriteString(tableHead)
	var shown []Client
	for _, c := range Clients {
		if columns[c.Name] != nil {
			shown = append(shown, c)
		}
	}
	b.WriteString("| |")
	for _, c := range shown {
		fmt.Fprintf(&b, " %s |", c.Title)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(shown)) + "\n")
	notes := footnotes{numbers: map[string]int{}}
	for _, f := range Features {
		fmt.Fprintf(&b, "| %s |", f.Name)
		for _, c := range shown {
			fmt.Fprintf(&b, " %s |", notes.cell(columns[c.Name].Features[f.Name]))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, reason := range notes.reasons {
		fmt.Fprintf(&b, "[^%d]: %s\n", i+1, reason)
	}
	b.WriteString("\n## The clients\n\n| Column | Client | Version |\n|---|---|---|\n")
	for _, c := range shown {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Title, c.About, columns[c.Name].Version)
	}
	b.WriteString("\n## The features\n\n| Row | What is checked |\n|---|---|\n")
	for _, f := range Features {
		fmt.Fprintf(&b, "| %s | %s |\n", f.Name, f.Meaning)
	}
	return b.String()
}

// footnotes number the reasons in the order in which the table names them; equal ones share a number.
type footnotes struct {
	numbers map[string]int
	reasons []string
}

func (n *footnotes) cell(v Verdict) string {
	if v == "" {
		return "·"
	}
	reason := strings.ReplaceAll(v.reason(), "|", `\|`)
	if reason == "" {
		return v.word()
	}
	number, ok := n.numbers[reason]
	if !ok {
		n.reasons = append(n.reasons, reason)
		number = len(n.reasons)
		n.numbers[reason] = number
	}
	return fmt.Sprintf("%s[^%d]", v.word(), number)
}
