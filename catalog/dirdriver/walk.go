package dirdriver

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// A walker lists one data directory.
type walker struct{ root string }

func (w walker) dir(ctx context.Context) ([]candidate, error) {
	entries, err := os.ReadDir(w.root)
	var found []candidate
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if c, ok := w.candidate(ctx, e); ok {
			found = append(found, c)
		}
	}
	return found, err
}

// candidate looks at one entry of the data directory.
func (w walker) candidate(ctx context.Context, e os.DirEntry) (candidate, bool) {
	path := filepath.Join(w.root, e.Name())
	name, _, isData := formatOf(e.Name())
	info, err := w.stat(path, e)
	switch {
	case os.IsNotExist(err):
		return candidate{}, false // gone since, or a link to nothing
	case err != nil:
		if !isData {
			name = e.Name()
		}
		return candidate{name: name, path: path, fault: err}, true
	case info.IsDir():
		c := candidate{name: e.Name(), path: path}
		w.collect(ctx, &c, path, nil)
		c.check()
		return c, c.fault != nil || len(c.sources) > 0
	case isData && info.Mode().IsRegular():
		c := candidate{name: name, path: path}
		c.addFile(path, info, nil)
		c.check()
		return c, true
	}
	return candidate{}, false
}

// stat follows a symbolic link only within the data directory; the error is for people, NotExist apart.
func (w walker) stat(path string, e os.DirEntry) (os.FileInfo, error) {
	if e.Type()&os.ModeSymlink == 0 {
		return e.Info()
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, err
		}
		return nil, qerr.New(qerr.IO, "cannot follow %s: %v", path, err)
	}
	if !strings.HasPrefix(target, strings.TrimSuffix(w.root, "/")+"/") {
		return nil, qerr.New(qerr.User, "%s links to %s, out of the data directory %s; give its directory as another data directory",
			path, target, w.root)
	}
	return os.Stat(target)
}

// foreignFormats are directories that mark a table format: which of the files count, stands in its log.
var foreignFormats = map[string]string{"_delta_log": "Delta Lake", ".hoodie": "Hudi"}

// collect adds the files of a directory and of the k=v directories below.
func (w walker) collect(ctx context.Context, c *candidate, dir string, keys []hiveKey) {
	if ctx.Err() != nil || c.fault != nil {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !os.IsNotExist(err) {
			c.fault = qerr.New(qerr.IO, "directory %s cannot be listed: %v", dir, err)
		}
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if format, ok := foreignFormats[e.Name()]; ok && e.IsDir() {
			c.fault = qerr.New(qerr.Unsupported, "%s is a %s table, which cannot be read yet: its files alone are not its rows", dir, format)
			return
		}
		if hidden(e.Name()) {
			continue
		}
		_, _, isData := formatOf(e.Name())
		key, isKey := parseKey(e.Name())
		if !isData && !isKey {
			continue
		}
		info, err := w.stat(path, e)
		switch {
		case os.IsNotExist(err):
		case err != nil:
			c.fault = err
			return
		case info.IsDir() && isKey && e.Type()&os.ModeSymlink != 0:
			// Followed, it could lead in circles; skipped, rows would be missing.
			c.fault = qerr.New(qerr.User, "%s is a link to a directory inside a table, which is not followed; move the directory here", path)
			return
		case info.IsDir() && isKey:
			w.collect(ctx, c, path, append(slices.Clip(keys), key))
		case isData && info.Mode().IsRegular():
			c.addFile(path, info, keys)
		}
	}
}

func (c *candidate) addFile(path string, info os.FileInfo, keys []hiveKey) {
	_, format, _ := formatOf(filepath.Base(path))
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b hiveKey) int { return strings.Compare(a.name, b.name) })
	c.sources = append(c.sources, source{path: path, size: info.Size(), modTime: info.ModTime().UnixNano(), format: format, keys: keys})
}

// check finds what keeps the files from being one table.
func (c *candidate) check() {
	slices.SortFunc(c.sources, func(a, b source) int { return strings.Compare(a.path, b.path) })
	fault := func(format string, args ...any) {
		if c.fault == nil {
			c.fault = qerr.New(qerr.User, format, args...)
		}
	}
	if len(c.sources) > filesMax {
		fault("%s holds %d files, more than %d", c.path, len(c.sources), filesMax)
		return
	}
	for i, s := range c.sources {
		first := c.sources[0]
		switch {
		case !utf8.ValidString(s.path):
			fault("the name of file %q is not UTF-8; rename it", s.path)
		case strings.ContainsAny(s.path, globBytes):
			fault("file %s: a path with %s cannot be read, because the engine expands it; rename it", s.path, globNames)
		case s.format != first.format:
			fault("%s holds files of different formats (%s and %s); move one kind elsewhere", c.path, first.path, s.path)
		case !slices.EqualFunc(s.keys, first.keys, func(a, b hiveKey) bool { return a.name == b.name }):
			fault("files %s and %s stand below different keys; move one of them", first.path, s.path)
		case len(s.keys) > keyDepthMax:
			fault("file %s stands below more than %d keys", s.path, keyDepthMax)
		case i == 0:
			c.checkKeys(s, fault)
		}
		for _, k := range s.keys {
			if v := k.value(); v != nil && !utf8.ValidString(*v) {
				fault("the key %s=%s of file %s is not UTF-8", k.name, k.raw, s.path)
			}
		}
	}
}

func (c *candidate) checkKeys(s source, fault func(string, ...any)) {
	for i := 1; i < len(s.keys); i++ {
		if table.Fold(s.keys[i].name) == table.Fold(s.keys[i-1].name) {
			fault("file %s stands below two keys named %s", s.path, s.keys[i].name)
		}
	}
}
