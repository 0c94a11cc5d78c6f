package exchange

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// fetchesAtOnceMax is how many producers one task reads at the same time: enough to fill a link, few enough that a hundred
// producers do not each hold a window of memory.
const fetchesAtOnceMax = 8

// A Producer is where some partitions of an input are.
type Producer struct {
	Key    ids.TaskKey
	Worker ids.WorkerID
	// Open starts reading the partitions: through Flight, or out of the own Store.
	Open func(ctx context.Context) (flightx.Reader, error)
	// Shared says that the batches are the own store's, whose budget covers them already.
	Shared bool
}

// A Source is one input of a task.
type Source struct {
	Name      string
	Schema    *arrow.Schema
	Producers []Producer
}

// An Input is a fetched source: all batches of all its producers, in the producers' order.
type Input struct {
	Batches  []arrow.RecordBatch
	store    *Store
	reserved int64
}

// Release frees the input's batches and its share of the budget. It may be called again.
func (i *Input) Release() {
	for _, batch := range i.Batches {
		batch.Release()
	}
	i.store.Unreserve(i.reserved)
	i.Batches, i.reserved = nil, 0
}

// Fetch reads all sources whole, several producers at a time, and returns one Input for each. The caller releases them. On an
// error everything fetched is freed: FetchFailed names the producer that could not be read; Resource means that the inputs
// do not fit into the store's budget; Cancelled or Deadline that ctx ended.
func Fetch(ctx context.Context, store *Store, sources []Source) ([]*Input, error) {
	parts := make([][]part, len(sources))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fetchesAtOnceMax)
	for i, source := range sources {
		parts[i] = make([]part, len(source.Producers))
		for j, producer := range source.Producers {
			into := &parts[i][j]
			group.Go(func() error { return into.fetch(groupCtx, store, source, producer) })
		}
	}
	err := group.Wait()
	inputs := make([]*Input, len(sources))
	for i := range sources {
		inputs[i] = &Input{store: store}
		for _, p := range parts[i] {
			inputs[i].Batches = append(inputs[i].Batches, p.batches...)
			inputs[i].reserved += p.reserved
		}
	}
	if err == nil {
		return inputs, nil
	}
	for _, input := range inputs {
		input.Release()
	}
	if ctx.Err() != nil {
		return nil, endOf(ctx)
	}
	return nil, err
}

// part is what one producer gave.
type part struct {
	batches  []arrow.RecordBatch
	reserved int64
}

func (p *part) fetch(ctx context.Context, store *Store, source Source, producer Producer) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			// In a goroutine of its own a panic would end the process.
			err = qerr.Wrap(qerr.Internal, "fetch "+source.Name, flightx.Recovered(fault))
		}
	}()
	failed := func(err error) error {
		return &qerr.Error{Kind: qerr.FetchFailed, Op: "fetch " + source.Name, Producer: producer.Key, Worker: producer.Worker, Err: err}
	}
	reader, err := producer.Open(ctx)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = reader.Close() }()
	if got := reader.Schema(); !sameLayout(got, source.Schema) {
		return qerr.New(qerr.Internal, "fetch %s: task %s has columns %s; expected %s", source.Name, producer.Key, got, source.Schema)
	}
	for {
		batch, err := reader.Next(ctx)
		if flightx.AtEnd(err) {
			return nil
		}
		if err != nil {
			return failed(err)
		}
		if !producer.Shared {
			bytes := flightx.BatchBytes(batch)
			if err := store.Reserve(bytes); err != nil {
				batch.Release()
				return qerr.Wrap(qerr.Resource, "fetch "+source.Name, err)
			}
			p.reserved += bytes
		}
		p.batches = append(p.batches, batch)
	}
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
	if kind := qerr.KindOf(cause); kind != qerr.Internal {
		return qerr.Wrap(kind, "", cause)
	}
	return &qerr.Error{Kind: qerr.KindOf(ctx.Err()), Err: cause}
}
