package compat

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OutVariable is the environment variable that names the folder in which harnesses leave what they measured.
const OutVariable = "ARBALEST_COMPAT_OUT"

// A Verdict is a cell: "yes", "yes: DETAIL", "no: REASON" or "n/a: REASON". No says that the server or the client does it
// wrong or not at all; n/a that there is nothing to do it with.
type Verdict string

// Yes is the verdict that needs no words.
const Yes Verdict = "yes"

// rank orders verdicts, the worst first: of two harnesses that measure one cell, the worse counts.
func (v Verdict) rank() int { return slices.Index([]string{"no", "n/a", "yes"}, v.word()) }

func (v Verdict) word() string {
	word, _, _ := strings.Cut(string(v), ":")
	return word
}

func (v Verdict) reason() string {
	_, reason, _ := strings.Cut(string(v), ":")
	return strings.Join(strings.Fields(reason), " ")
}

// check says what is wrong with a verdict.
func (v Verdict) check() error {
	switch {
	case v.rank() < 0:
		return fmt.Errorf("%q is none of yes, no: REASON, n/a: REASON", v)
	case v.word() != "yes" && v.reason() == "":
		return fmt.Errorf("%q gives no reason", v)
	}
	return nil
}

// A Column is what one client was measured to do: what a harness writes as a file NAME.json of any name.
type Column struct {
	Client   string             `json:"client"`
	Version  string             `json:"version,omitempty"` // of the client's library
	Features map[string]Verdict `json:"features"`
}

// ReadColumns reads every JSON file of a folder and merges those of the same client. A folder that does not exist has none.
func ReadColumns(dir string) (map[string]*Column, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]*Column{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var c Column
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if all[c.Client] == nil {
			all[c.Client] = &Column{Client: c.Client, Features: map[string]Verdict{}}
		}
		all[c.Client].merge(c)
	}
	return all, nil
}

// check says which names or verdicts of a column are not known.
func (c *Column) check() error {
	if !slices.ContainsFunc(Clients, func(k Client) bool { return k.Name == c.Client }) {
		return fmt.Errorf("client %q is not among Clients in features.go", c.Client)
	}
	for name, verdict := range c.Features {
		if !slices.ContainsFunc(Features, func(f Feature) bool { return f.Name == name }) {
			return fmt.Errorf("feature %q is not among Features in features.go", name)
		}
		if err := verdict.check(); err != nil {
			return fmt.Errorf("feature %q: %w", name, err)
		}
	}
	return nil
}

// merge takes over the other's verdicts where they are new, or worse.
func (c *Column) merge(other Column) {
	if other.Version != "" {
		c.Version = other.Version
	}
	for name, verdict := range other.Features {
		if known, ok := c.Features[name]; !ok || verdict.rank() < known.rank() {
			c.Features[name] = verdict
		}
	}
}

// Write leaves the column in a folder, in a file of the client's name and a suffix.
func (c *Column) Write(dir, suffix string) error {
	if err := c.check(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, c.Client+suffix+".json"), append(data, '\n'), 0o644)
}

// Compare says which cells of a run differ from the kept ones; cells that were not measured do not. lost are those that are
// no now and were not before.
func Compare(kept, measured map[string]*Column) (differ, lost []string) {
	for _, client := range Clients {
		now, was := measured[client.Name], kept[client.Name]
		if now == nil {
			continue
		}
		if was == nil {
			was = &Column{}
		}
		if now.Version != "" && now.Version != was.Version {
			differ = append(differ, fmt.Sprintf("%s: is version %s, kept is %q", client.Name, now.Version, was.Version))
		}
		for _, f := range Features {
			verdict, ok := now.Features[f.Name]
			if !ok || verdict == was.Features[f.Name] {
				continue
			}
			line := fmt.Sprintf("%s, %s: %q, kept is %q", client.Name, f.Name, verdict, was.Features[f.Name])
			differ = append(differ, line)
			if kept := was.Features[f.Name]; verdict.word() == "no" && kept != "" && kept.word() != "no" {
				lost = append(lost, line)
			}
		}
	}
	return differ, lost
}
