package dirdriver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/footer"
	"github.com/arbalest-sql/arbalest/catalog/internal/cache"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// footerBytesDefault holds the footers of some ten thousand files of twenty columns.
	footerBytesDefault = 128 << 20
	// columnsBytesMax bounds what is kept of the Sniffer's answers; a schema takes a few KiB.
	columnsBytesMax = 16 << 20
)

// Config says where the tables are.
type Config struct {
	// Dirs are the data directories. They must exist when the driver is made; later they may come and go.
	Dirs []string
	// Catalog and Schema name where the tables stand. Default arbalest and main.
	Catalog, Schema string
	// Sniffer asks the engine for columns. Required.
	Sniffer driver.Sniffer
	// Concurrency is how many footers are read at once. Default 2 × CPUs, at most 16: reading waits more than it
	// computes, but a cold disk gains nothing from more.
	Concurrency int
	// FooterBytesMax bounds the memory of kept footers, in bytes. Default 128 MiB.
	FooterBytesMax int64
	// Log gets a warning when a data directory cannot be listed, once until it can be. Default none.
	Log zerolog.Logger
}

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	if c.Catalog == "" {
		c.Catalog = "arbalest"
	}
	if c.Schema == "" {
		c.Schema = "main"
	}
	if c.Concurrency == 0 {
		c.Concurrency = min(16, 2*runtime.GOMAXPROCS(0))
	}
	if c.FooterBytesMax == 0 {
		c.FooterBytesMax = footerBytesDefault
	}
}

// Validate reports all faults.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, qerr.New(qerr.User, format, args...)) }
	if c.Sniffer == nil {
		fault("dirdriver: no Sniffer")
	}
	if c.Concurrency < 0 {
		fault("dirdriver: Concurrency is %d, must be positive", c.Concurrency)
	}
	for _, dir := range c.Dirs {
		if strings.Contains(dir, "://") {
			fault("data location %s: only local directories are supported", dir)
			continue
		}
		if strings.ContainsAny(dir, globBytes) {
			fault("data directory %s: a path with %s cannot be read, because the engine expands it; use another name", dir, globNames)
		}
		if info, err := os.Stat(dir); err != nil {
			fault("data directory: %v", err)
		} else if !info.IsDir() {
			fault("data directory %s is a file; give the directory that it is in", dir)
		} else if _, err := os.ReadDir(dir); err != nil {
			fault("data directory: %v", err)
		}
	}
	return errors.Join(faults...)
}

// Driver lists directories. It implements driver.Driver.
type Driver struct {
	config  Config
	dirs    []string // absolute, links resolved
	footers *cache.Cache[fileKey, *footer.Footer]
	columns *cache.Cache[string, []table.Column]

	mu sync.Mutex
	// unlisted are the data directories that could not be listed the last time.
	unlisted map[string]bool
}

var _ driver.Driver = (*Driver)(nil)

// A fileKey identifies the content of a file.
type fileKey struct {
	path    string
	size    int64
	modTime int64
}

// New checks that the directories can be read and returns a driver over them.
func New(config Config) (*Driver, error) {
	config.EnsureDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	dirs, err := Resolve(config.Dirs)
	if err != nil {
		return nil, err
	}
	d := &Driver{config: config, dirs: dirs, unlisted: map[string]bool{}}
	d.footers = cache.New[fileKey](config.FooterBytesMax, (*footer.Footer).MemoryBytes)
	d.columns = cache.New[string](columnsBytesMax, func(cols []table.Column) int64 { return 256 * int64(1+len(cols)) })
	return d, nil
}

// Resolve gives the directories as the driver's files are named: absolute, links resolved, none twice (its tables would
// clash with themselves). What is told to engines as readable must be these.
func Resolve(dirs []string) ([]string, error) {
	var all []string
	for _, dir := range dirs {
		resolved, err := filepath.Abs(dir)
		if err == nil {
			resolved, err = filepath.EvalSymlinks(resolved)
		}
		if err != nil {
			return nil, qerr.New(qerr.User, "data directory: %v", err)
		}
		if strings.ContainsAny(resolved, globBytes) {
			return nil, qerr.New(qerr.User, "data directory %s: a path with %s cannot be read, because the engine expands it; use another name",
				resolved, globNames)
		}
		if !slices.Contains(all, resolved) {
			all = append(all, resolved)
		}
	}
	return all, nil
}

// Catalog is the configured name.
func (d *Driver) Catalog() string { return d.config.Catalog }

// Locations are the data directories, absolute and with links resolved.
func (d *Driver) Locations() []string { return slices.Clone(d.dirs) }

// Close ends reads under way and waits for them.
func (d *Driver) Close() error {
	d.footers.Close()
	d.columns.Close()
	return nil
}

// sniffColumns asks for the columns of one Parquet schema; file is any file that has it.
func (d *Driver) sniffColumns(ctx context.Context, fingerprint, file string) ([]table.Column, error) {
	return d.columns.Get(ctx, fingerprint, func(ctx context.Context) ([]table.Column, error) {
		columns, _, err := d.config.Sniffer.Sniff(ctx, table.Parquet, []string{file})
		return columns, err
	})
}
