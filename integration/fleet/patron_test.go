package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
)

// patience is how long a client goes on asking for what it was promised, from one coordinator to the next.
const patience = 2 * time.Minute

// tally counts what clients saw.
type tally struct {
	finished, resent, carried, reread atomic.Int64

	// How many clients do so now, by the coordinator that they talk to.
	submitting, polling, reading [coordinators]atomic.Int64
}

// A patron is a client that knows all coordinators, and has one session, whose options are held against each of them. It sends a statement again only before it was told of a query; from then on
// it wants the rows, from whichever coordinator.
type patron struct {
	doors   []string
	at      int
	session *client.Session
	token   string // of its one session, which goes with it from door to door
	zone    string // an option of that session
	rng     *rand.Rand
	tally   *tally
}

// leave goes on to the next coordinator.
func (p *patron) leave() {
	if p.session != nil {
		_ = p.session.Close() // it may be broken already
		p.session = nil
	}
	p.at = (p.at + 1) % len(p.doors)
}

func (p *patron) open(ctx context.Context) error {
	if p.session != nil {
		return nil
	}
	session, err := client.Dial(ctx, p.doors[p.at], client.Options{MessageBytesMax: 16 << 20, Token: p.token})
	if err != nil {
		return err
	}
	if p.token == "" {
		err = errors.Join(session.Exec(ctx, "SET arbalest.distributed = 'always'"), session.Exec(ctx, "SET TimeZone = '"+p.zone+"'"))
	}
	if err != nil {
		_ = session.Close()
		return err
	}
	p.session, p.token = session, session.Token()
	return nil
}

// checkOptions holds that the session has the options that it was given, wherever it is by now.
func (p *patron) checkOptions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ; ; pause(ctx) {
		err := p.open(ctx)
		var options *flight.GetSessionOptionsResult
		if err == nil {
			options, err = p.session.SQL.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
		}
		switch {
		case err == nil:
			all := options.GetSessionOptions()
			if zone, spread := all["TimeZone"].GetStringValue(), all["arbalest.distributed"].GetStringValue(); zone != p.zone || spread != "always" {
				return fmt.Errorf("the session's options are %q and %q", zone, spread)
			}
			return nil
		case status.Code(err) != codes.Unavailable || ctx.Err() != nil:
			return fmt.Errorf("options: %w", err)
		}
		p.leave()
	}
}

// pause is between two tries: a client that is told to come back does not do so at once.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
}

// ask runs a statement to its rows.
func (p *patron) ask(ctx context.Context, sql string) (*oracle.Rows, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ; ; pause(ctx) {
		var info *flight.FlightInfo
		err := p.open(ctx)
		if err == nil {
			info, err = p.submit(ctx, sql)
		}
		if err == nil {
			rows, err := p.read(ctx, info)
			return rows, string(info.GetAppMetadata()), err
		}
		var lost *promiseBroken
		if errors.As(err, &lost) || status.Code(err) != codes.Unavailable || ctx.Err() != nil {
			return nil, "", fmt.Errorf("submit: %w", err)
		}
		p.tally.resent.Add(1)
		p.leave()
	}
}

// promiseBroken is the loss of a query that a client was told of.
type promiseBroken struct{ err error }

func (e *promiseBroken) Error() string {
	return "a query that the client was told of is lost: " + e.err.Error()
}
func (e *promiseBroken) Unwrap() error { return e.err }

// submit waits for the whole FlightInfo, by one call or by polling, from one coordinator to the next once it knows of a query.
func (p *patron) submit(ctx context.Context, sql string) (*flight.FlightInfo, error) {
	p.tally.submitting[p.at].Add(1)
	if p.rng.IntN(2) == 0 {
		defer p.tally.submitting[p.at].Add(-1)
		return p.session.SQL.Execute(ctx, sql)
	}
	poll, err := p.session.SQL.ExecutePoll(ctx, sql, nil)
	p.tally.submitting[p.at].Add(-1)
	if err != nil {
		return nil, err
	}
	for poll.GetFlightDescriptor() != nil {
		p.tally.polling[p.at].Add(1)
		next, err := p.session.SQL.ExecutePoll(ctx, sql, poll.GetFlightDescriptor())
		p.tally.polling[p.at].Add(-1)
		if err == nil {
			poll = next
			continue
		}
		if status.Code(err) != codes.Unavailable || ctx.Err() != nil {
			return nil, &promiseBroken{err}
		}
		for {
			p.leave()
			if err := p.open(ctx); err == nil {
				break
			} else if ctx.Err() != nil {
				return nil, &promiseBroken{err}
			}
			pause(ctx)
		}
		p.tally.carried.Add(1)
	}
	return poll.GetInfo(), nil
}

// read reads all endpoints at once. One that breaks is read again from its begin, at another coordinator.
func (p *patron) read(ctx context.Context, info *flight.FlightInfo) (*oracle.Rows, error) {
	p.tally.reading[p.at].Add(1)
	defer p.tally.reading[p.at].Add(-1)
	if p.rng.IntN(3) == 0 { // a client with other things to do
		select {
		case <-time.After(time.Duration(p.rng.IntN(2000)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
	schema, err := flight.DeserializeSchema(info.GetSchema(), nil)
	if err != nil {
		return nil, err
	}
	parts, faults := make([]client.Part, len(info.GetEndpoint())), make([]error, len(info.GetEndpoint()))
	var readers sync.WaitGroup
	for i, endpoint := range info.GetEndpoint() {
		readers.Go(func() {
			faults[i] = p.session.ReadEndpoint(ctx, endpoint, &parts[i], nil, nil)
			other := &patron{doors: p.doors, at: p.at, token: p.token, tally: p.tally}
			defer other.leave()
			for faults[i] != nil && ctx.Err() == nil && status.Code(faults[i]) == codes.Unavailable {
				other.leave()
				if other.open(ctx) == nil {
					release(parts[i].Batches)
					parts[i] = client.Part{}
					p.tally.reread.Add(1)
					faults[i] = other.session.ReadEndpoint(ctx, endpoint, &parts[i], nil, nil)
				}
				if faults[i] != nil {
					pause(ctx)
				}
			}
		})
	}
	readers.Wait()
	var batches []arrow.RecordBatch
	for _, part := range parts {
		batches = append(batches, part.Batches...)
	}
	defer release(batches)
	if err := errors.Join(faults...); err != nil {
		return nil, &promiseBroken{fmt.Errorf("read: %w", err)}
	}
	return oracle.FromBatches(schema, batches), nil
}

func release(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}

// load asks random queries until told to stop, and holds every answer to the oracle's.
func (p *patron) load(ctx context.Context, stop <-chan struct{}, queries []tpch.Query, answers map[string]oracle.Answer) error {
	defer p.leave()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		q := queries[p.rng.IntN(len(queries))]
		if long := longQueries(); p.rng.IntN(3) == 0 {
			q = long[p.rng.IntN(len(long))]
		}
		want, err := answers[q.Name].Rows()
		if err != nil {
			return fmt.Errorf("the oracle refuses %s: %w", q.Name, err)
		}
		got, id, err := p.ask(ctx, q.SQL)
		if err != nil {
			return fmt.Errorf("%s: %w", q.Name, err)
		}
		if err := oracle.Compare(want, got, tpch.OrderBy[q.Number]...); err != nil {
			return fmt.Errorf("%s (query %s): %w", q.Name, id, err)
		}
		if err := p.checkOptions(ctx); err != nil {
			return err
		}
		p.tally.finished.Add(1)
	}
}
