package exchange

import (
	"context"
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// fetchesAtOnceMax is how many producers one task reads at the same time: enough to fill a link.
	fetchesAtOnceMax = 8
	// fetchBytes is what one of them may have under way outside of the budget: a window of the connection and a message.
	fetchBytes = 32 << 20
	// fetchShare is the part of the budget, as one in so many, that all of a task's together may have beside it.
	fetchShare = 4
)

// fetchesAtOnce is how many producers a task may read at once with a budget of memory.
func fetchesAtOnce(budget int64) int {
	return int(max(min(budget/fetchShare/fetchBytes, fetchesAtOnceMax), 1))
}

// A Producer is where some partitions of an input are.
type Producer struct {
	Key    ids.TaskKey
	Worker ids.WorkerID
	// Open starts reading the partitions: through Flight, or out of the own Store.
	Open func(ctx context.Context) (flightx.Reader, error)
}

// A Source is one input of a task.
type Source struct {
	Name      string
	Schema    *arrow.Schema
	Producers []Producer
}

// A Request says what a task wants.
type Request struct {
	// Query is whose budget is used.
	Query   ids.QueryID
	Sources []Source
	// Spill sends everything to disk, whatever the budget.
	Spill bool
}

// Inputs are fetched sources.
type Inputs struct {
	// Batches has for each source all batches of all its producers, in the producers' order.
	Batches [][]arrow.RecordBatch
	// SpillBytes is what of them is on disk.
	SpillBytes int64

	blocks  []*block
	mapping *mapping
}

// Release frees the batches and their share of the budgets. It may be called again.
func (i *Inputs) Release() {
	for _, batches := range i.Batches {
		for _, batch := range batches {
			batch.Release()
		}
	}
	for _, b := range i.blocks {
		b.letGo()
	}
	if i.mapping != nil {
		i.mapping.letGo()
	}
	i.Batches, i.blocks, i.mapping = nil, nil, nil
}

// Fetch reads all sources whole, several producers at a time. The caller releases what it returns. On an error everything
// fetched is freed: FetchFailed names the producer that could not be read; Resource means that the inputs fit neither into
// the store's memory nor on its disk; Cancelled or Deadline that ctx ended.
func Fetch(ctx context.Context, store *Store, request Request) (*Inputs, error) {
	f := &fetcher{store: store, request: request}
	parts := make([][]part, len(request.Sources))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fetchesAtOnce(store.memory.max))
	for i, source := range request.Sources {
		parts[i] = make([]part, len(source.Producers))
		for j, producer := range source.Producers {
			into := &parts[i][j]
			group.Go(func() error { return f.fetch(groupCtx, into, source, producer) })
		}
	}
	err := group.Wait()
	if ctx.Err() != nil && err != nil {
		err = endOf(ctx)
	}
	return f.collect(parts, err)
}

// A fetcher is one Fetch.
type fetcher struct {
	store   *Store
	request Request

	mu     sync.Mutex
	mapped *mapped // guarded by mu; nil as long as everything fits into memory
}

// A part is what one producer gave, in its order.
type part []fetched

// A fetched batch is in one of two places.
type fetched struct {
	block  *block
	placed *placed
}

// collect makes inputs of all parts, or frees them when there is an error.
func (f *fetcher) collect(parts [][]part, err error) (*Inputs, error) {
	in := &Inputs{Batches: make([][]arrow.RecordBatch, len(parts))}
	for _, source := range parts {
		for _, p := range source {
			for _, one := range p {
				if one.block != nil {
					in.blocks = append(in.blocks, one.block)
				}
			}
		}
	}
	if f.mapped != nil && err == nil {
		in.SpillBytes = f.mapped.size
		in.mapping, err = f.mapped.open()
	} else if f.mapped != nil {
		f.mapped.drop()
	}
	if err != nil {
		in.Release()
		return nil, err
	}
	for i, source := range parts {
		for _, p := range source {
			for _, one := range p {
				batch := one.batch(in.mapping)
				in.Batches[i] = append(in.Batches[i], batch)
			}
		}
	}
	return in, nil
}

// batch gives a reference of the caller's own.
func (o fetched) batch(m *mapping) arrow.RecordBatch {
	if o.placed != nil {
		return m.batch(o.placed)
	}
	o.block.batch.Retain()
	return o.block.batch
}

func (f *fetcher) fetch(ctx context.Context, into *part, source Source, producer Producer) (err error) {
	op := "fetch " + source.Name
	defer func() {
		if fault := recover(); fault != nil {
			// In a goroutine of its own a panic would end the process.
			err = qerr.Wrap(qerr.Internal, op, flightx.Recovered(fault))
		}
	}()
	failed := func(err error) error {
		return &qerr.Error{Kind: qerr.FetchFailed, Op: op, Producer: producer.Key, Worker: producer.Worker, Err: err}
	}
	reader, err := producer.Open(ctx)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = reader.Close() }()
	if got := reader.Schema(); !sameLayout(got, source.Schema) {
		return qerr.New(qerr.Internal, "%s: task %s has columns %s; expected %s", op, producer.Key, got, source.Schema)
	}
	for {
		batch, shared, err := nextOf(ctx, reader)
		if flightx.AtEnd(err) {
			return nil
		}
		if err != nil {
			return failed(err)
		}
		if shared != nil {
			*into = append(*into, fetched{block: shared})
			continue
		}
		one, err := f.keep(batch)
		if err != nil {
			return qerr.Wrap(qerr.Internal, op, err)
		}
		*into = append(*into, one)
	}
}

// nextOf reads a batch; out of the own store's memory it comes as a block, which costs nothing more.
func nextOf(ctx context.Context, reader flightx.Reader) (arrow.RecordBatch, *block, error) {
	if own, ok := reader.(*Reader); ok {
		return own.next(ctx)
	}
	batch, err := reader.Next(ctx)
	return batch, nil, err
}

// keep takes a batch over, also when it fails: into memory when the budget allows it, else to disk.
func (f *fetcher) keep(batch arrow.RecordBatch) (fetched, error) {
	toDisk := f.request.Spill && f.store.dir != nil
	if !toDisk {
		b, full := newBlock(f.store.memory, f.request.Query, batch, flightx.BatchBytes(batch))
		if full == nil {
			return fetched{block: b}, nil
		}
		if f.store.dir == nil {
			batch.Release()
			return fetched{}, full
		}
	}
	defer batch.Release()
	m, err := f.file()
	if err != nil {
		return fetched{}, err
	}
	p, err := m.add(batch)
	return fetched{placed: p}, err
}

// file gives the file of what does not fit into memory.
func (f *fetcher) file() (_ *mapped, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mapped == nil {
		f.mapped, err = f.store.newMapped(f.request.Query)
	}
	return f.mapped, err
}

// sameLayout compares the columns' types; names and metadata are the consumer's own.
func sameLayout(a, b *arrow.Schema) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		if !arrow.TypeEqual(a.Field(i).Type, b.Field(i).Type) {
			return false
		}
	}
	return true
}

// endOf is the error of a context that has ended: its cause if that is classified.
func endOf(ctx context.Context) error {
	cause := context.Cause(ctx)
	var classified *qerr.Error
	if errors.As(cause, &classified) {
		return qerr.Wrap(classified.Kind, "", cause)
	}
	return &qerr.Error{Kind: qerr.KindOf(ctx.Err()), Err: cause}
}
