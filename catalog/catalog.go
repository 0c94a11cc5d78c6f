package catalog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/driver"
	"github.com/arbalest-sql/arbalest/catalog/internal/cache"
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// refreshShare: a listing that took d is not repeated within refreshShare × d, so that refreshing costs at most a tenth of
	// the time however large the directories are; small ones are fresh at nearly every query.
	refreshShare = 10
	// staleMaxDefault bounds how old a view may be when listing is slow (remote or huge directories).
	staleMaxDefault = time.Second
	// cacheBytesDefault holds the files of some thousands of tables.
	cacheBytesDefault = 256 << 20
)

// A Sniffer asks the engine how it reads files; see driver.Sniffer.
type Sniffer = driver.Sniffer

// Config is what may be set of a Catalog. The zero value is a good one.
type Config struct {
	// StaleMax is the longest time for which a view is used without listing again. Default 1 s. Below it, views are
	// renewed as often as a tenth of the time allows.
	StaleMax time.Duration
	// CacheBytesMax bounds the memory of loaded tables, in bytes. Default 256 MiB. More serves wider catalogs without
	// reading footers again.
	CacheBytesMax int64
}

// EnsureDefaults fills in what is zero.
func (c *Config) EnsureDefaults() {
	if c.StaleMax == 0 {
		c.StaleMax = staleMaxDefault
	}
	if c.CacheBytesMax == 0 {
		c.CacheBytesMax = cacheBytesDefault
	}
}

// Validate reports all faults.
func (c *Config) Validate() error {
	var faults []error
	if c.StaleMax < 0 {
		faults = append(faults, qerr.New(qerr.User, "catalog: StaleMax is %v, must not be negative", c.StaleMax))
	}
	if c.CacheBytesMax < 0 {
		faults = append(faults, qerr.New(qerr.User, "catalog: CacheBytesMax is %d, must not be negative", c.CacheBytesMax))
	}
	return errors.Join(faults...)
}

// A Catalog gives snapshots of what its drivers hold. All methods may be called concurrently.
type Catalog struct {
	config    Config
	drivers   []driver.Driver
	tables    *cache.Cache[tableKey, *table.Table]
	refreshes *cache.Group[struct{}, *Snapshot]

	mu      sync.Mutex
	current *Snapshot
	staleAt time.Time
}

// New returns a catalog over the drivers, which it owns from now on and closes. Nothing is listed yet.
func New(drivers ...driver.Driver) (*Catalog, error) { return Open(Config{}, drivers...) }

// Open is New with a configuration.
func Open(config Config, drivers ...driver.Driver) (*Catalog, error) {
	config.EnsureDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Catalog{
		config:    config,
		drivers:   drivers,
		tables:    cache.New[tableKey](config.CacheBytesMax, tableBytes),
		refreshes: cache.NewGroup[struct{}, *Snapshot](),
	}, nil
}

// Locations are the paths and URLs below which all data lies: what workers are told they may read.
func (c *Catalog) Locations() []string {
	var all []string
	for _, d := range c.drivers {
		all = append(all, d.Locations()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Snapshot returns the present view: the same one as before while nothing changed. It fails only when ctx ends or the
// catalog is closed; see the package's invariants for its age.
func (c *Catalog) Snapshot(ctx context.Context) (*Snapshot, error) {
	c.mu.Lock()
	current := c.current
	fresh := current != nil && time.Now().Before(c.staleAt)
	c.mu.Unlock()
	if fresh {
		return current, nil
	}
	s, err := c.refreshes.Do(ctx, struct{}{}, c.refresh)
	if err != nil {
		return nil, qerr.Wrap(qerr.Unavailable, "list the catalog", err)
	}
	return s, nil
}

// refresh lists every driver and returns the current snapshot, a new one only when something changed.
func (c *Catalog) refresh(ctx context.Context) (*Snapshot, error) {
	start := time.Now()
	b := newBuilder(c)
	for _, d := range c.drivers {
		listing, err := d.List(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b.add(d.Catalog(), listing, err)
	}
	next := b.snapshot()
	end := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || c.current.version != next.version {
		c.current = next
	}
	c.staleAt = end.Add(min(refreshShare*end.Sub(start), c.config.StaleMax))
	return c.current, nil
}

// Usage tells what the catalog holds in memory: loaded tables and their approximate bytes.
func (c *Catalog) Usage() (tables int, bytes int64) { return c.tables.Usage() }

// Close ends what is under way and closes the drivers. Snapshots given out keep their names but load no table any more.
func (c *Catalog) Close() error {
	c.refreshes.Close()
	c.tables.Close()
	var faults []error
	for _, d := range c.drivers {
		faults = append(faults, d.Close())
	}
	return errors.Join(faults...)
}
