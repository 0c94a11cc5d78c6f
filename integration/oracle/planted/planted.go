package planted

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// A Plant is one bug to be planted.
type Plant struct {
	// Name is the file's, Why its prose.
	Name, Why string
	// Logic is the logic test that must fail, as wrong/name.
	Logic string
	Edits []Edit
}

// An Edit replaces a text that a file has once. Both end without their last newline, so that the last line may be the
// beginning of one.
type Edit struct{ File, Old, New string }

// Load reads all plants below a directory, in the order of their names.
func Load(dir string) ([]Plant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var all []Plant
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, err := Parse(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Parse reads a plant.
func Parse(name, text string) (Plant, error) {
	p := Plant{Name: name}
	file := ""
	var into *string
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case bare == "<<<<" && into == nil:
			p.Edits = append(p.Edits, Edit{File: file})
			into = &p.Edits[len(p.Edits)-1].Old
		case bare == "====" && into != nil:
			into = &p.Edits[len(p.Edits)-1].New
		case bare == ">>>>":
			into = nil
		case into != nil:
			*into += line
		case strings.HasPrefix(bare, "#"):
			p.Why += strings.TrimPrefix(bare, "# ") + "\n"
		case strings.HasPrefix(bare, "logic: "):
			p.Logic = strings.TrimPrefix(bare, "logic: ")
		case strings.HasPrefix(bare, "file: "):
			file = strings.TrimPrefix(bare, "file: ")
		case bare != "":
			return p, fmt.Errorf("what is %q?", bare)
		}
	}
	if into != nil || len(p.Edits) == 0 || p.Logic == "" || p.Why == "" {
		return p, errors.New("a plant has prose, a logic test and edits that end")
	}
	return p, nil
}

// Apply gives the edited files' texts, by path below root.
func (p Plant) Apply(root string) (map[string]string, error) {
	edited := map[string]string{}
	for _, e := range p.Edits {
		text, ok := edited[e.File]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, e.File))
			if err != nil {
				return nil, err
			}
			text = string(read)
		}
		before, after := strings.TrimSuffix(e.Old, "\n"), strings.TrimSuffix(e.New, "\n")
		if n := strings.Count(text, before); n != 1 || before == "" {
			return nil, fmt.Errorf("%s has this text %d times, want once:\n%s", e.File, n, before)
		}
		edited[e.File] = strings.Replace(text, before, after, 1)
	}
	for name, text := range edited {
		if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution); err != nil {
			return nil, err
		}
	}
	return edited, nil
}

// Overlay writes the edited files to dir, and the file for go's -overlay, whose path it returns.
func (p Plant) Overlay(root, dir string) (string, error) {
	edited, err := p.Apply(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range edited {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = path
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}
