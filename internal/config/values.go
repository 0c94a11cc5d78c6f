package config

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// Bytes is a size given as 8GB, 512MiB or a plain number of bytes.
type Bytes int64

// Set implements pflag.Value.
func (b *Bytes) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > 1<<62 {
		return fmt.Errorf("%q is no size; write a number with a unit, such as 512MiB, 8GB or 8GiB", text)
	}
	*b = Bytes(n)
	return nil
}

// String implements pflag.Value.
func (b *Bytes) String() string {
	if *b == 0 {
		return ""
	}
	return humanize.Bytes(uint64(*b))
}

// Type implements pflag.Value.
func (b *Bytes) Type() string { return "SIZE" }
