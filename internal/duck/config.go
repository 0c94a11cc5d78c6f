package duck

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// Config says how large an engine may get and what it may read.
type Config struct {
	// Threads is the number of executor threads of the instance, shared by all jobs. Default: the number of cores. More
	// threads than cores only help where reading waits for a network.
	Threads int
	// MemoryBytes limits what DuckDB's operators hold; past it they spill to TempDir, then fail with a Resource error.
	// Batches (Usage.Bytes) and the Go heap come on top. Default: 1 GiB.
	MemoryBytes int64
	// TempDir is the engine's own directory: spilled data and nothing that outlives it. It is made if it is missing.
	// Default: a new one in the system's directory for temporary files, removed by Close.
	TempDir string
	// TempBytesMax limits what is spilled; past it a job fails with a Resource error. Default: 16 GiB.
	TempBytesMax int64
	// OutputBytesMax limits what one Partition job may hold in batches when the job names no limit. Default: MemoryBytes.
	OutputBytesMax int64
	// DataLocations are the directories, or single files, that may be read. Nothing else can be, whatever the SQL says.
	// DuckDB permits writing where it permits reading, so locations should be mounted read-only where that can be had.
	DataLocations []string
	// TimeZone is the time zone of jobs that name none: an IANA name. Default: UTC. Never the host's, which differs from
	// worker to worker.
	TimeZone string
}

const (
	memoryBytesDefault = 1 << 30
	tempBytesDefault   = 16 << 30
	// memoryBytesMin is below what DuckDB can start with: each thread wants some MiB of buffers.
	memoryBytesMin = 16 << 20
)

// EnsureDefaults fills in every field that is zero and has a default.
func (c *Config) EnsureDefaults() {
	if c.Threads == 0 {
		c.Threads = runtime.NumCPU()
	}
	if c.MemoryBytes == 0 {
		c.MemoryBytes = memoryBytesDefault
	}
	if c.TempBytesMax == 0 {
		c.TempBytesMax = tempBytesDefault
	}
	if c.OutputBytesMax == 0 {
		c.OutputBytesMax = c.MemoryBytes
	}
	if c.TimeZone == "" {
		c.TimeZone = "UTC"
	}
}

// Validate reports every fault of the configuration at once, as one User error.
func (c *Config) Validate() error {
	var faults []error
	if c.Threads < 1 {
		faults = append(faults, fmt.Errorf("threads is %d, must be at least 1", c.Threads))
	}
	if c.MemoryBytes < memoryBytesMin {
		faults = append(faults, fmt.Errorf("memory is %d bytes, must be at least %d", c.MemoryBytes, memoryBytesMin))
	}
	if c.TempBytesMax < 0 || c.OutputBytesMax < 0 {
		faults = append(faults, errors.New("a byte limit is negative"))
	}
	for _, l := range c.DataLocations {
		if !filepath.IsAbs(l) {
			faults = append(faults, fmt.Errorf("data location %q is not an absolute path", l))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &qerr.Error{Kind: qerr.User, Op: "configure the engine", Err: errors.Join(faults...)}
}
