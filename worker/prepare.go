package worker

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/duck"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/worker/bind"
	"github.com/arbalest-sql/arbalest/worker/exchange"
	"github.com/arbalest-sql/arbalest/worker/lifecycle"
)

// prepared is a run ready for the engine, and what must be freed after it.
type prepared struct {
	job     duck.Job
	fetched *exchange.Inputs // nil until they are
	inputs  []*duck.Input
}

func (p *prepared) free() {
	for _, input := range p.inputs {
		input.Remove()
	}
	if p.fetched != nil {
		p.fetched.Release()
	}
	p.inputs, p.fetched = nil, nil
}

// prepare fetches a run's inputs, checks its files and prints its statement. The caller frees what it returns; on an error
// everything is freed.
func (w *Worker) prepare(r *run) (*prepared, error) {
	p := &prepared{}
	err := w.prepareInto(r, p)
	if err != nil {
		p.free()
		return nil, err
	}
	return p, nil
}

func (w *Worker) prepareInto(r *run, p *prepared) (err error) {
	columns, err := columnsFrom(r.spec.GetOutput())
	if err != nil {
		return err
	}
	sources, err := w.sources(r.spec)
	if err != nil {
		return err
	}
	request := exchange.Request{Query: r.id.Key.Query, Sources: sources, Spill: r.spec.GetSpill() && !onlySent(r.spec)}
	if p.fetched, err = exchange.Fetch(r.ctx, w.store, request); err != nil {
		return err
	}
	r.spilled.Store(uint64(p.fetched.SpillBytes))
	if len(sources) > 0 {
		w.update(func(now time.Time, registry *lifecycle.Registry) []lifecycle.ID {
			registry.InputsRead(now, r.id)
			return nil
		})
	}
	bodies := map[string]string{}
	for i, batches := range p.fetched.Batches {
		types, err := columnsFrom(r.spec.GetInputs()[i].GetColumns())
		if err != nil {
			return err
		}
		input, err := w.addInput(r.spec.GetInputs()[i], typesOf(types), batches)
		if err != nil {
			return qerr.Wrap(qerr.Internal, "give input "+sources[i].Name+" to the engine", err)
		}
		p.inputs = append(p.inputs, input)
		bodies[sources[i].Name] = projected(r.spec.GetInputs()[i], input.SQL())
	}
	if err := checkFiles(r.ctx, r.spec.GetScans()); err != nil {
		return err
	}
	sql, err := bind.SQL(r.spec, bodies)
	if err != nil {
		return err
	}
	p.job = duck.Job{SQL: sql, TimeZone: r.spec.GetTimeZone(), Columns: columns}
	return nil
}

// addInput gives an input's batches to the engine; those of temporary tables, which alone have a projection, in larger ones.
func (w *Worker) addInput(source *pb.ExchangeSource, types []table.Type, batches []arrow.RecordBatch) (*duck.Input, error) {
	if source.GetProjection() == nil || len(batches) < 2 {
		return w.cfg.Engine.AddInput(types, batches)
	}
	larger, err := merged(batches)
	defer func() {
		for _, batch := range larger {
			batch.Release()
		}
	}()
	if err != nil {
		return nil, err
	}
	return w.cfg.Engine.AddInput(types, larger)
}

// projected is the SELECT that gives an input the columns that the fragment sees.
func projected(input *pb.ExchangeSource, body string) string {
	if input.GetProjection() == nil {
		return body
	}
	list := make([]string, 0, len(input.GetProjection().GetColumns()))
	for _, c := range input.GetProjection().GetColumns() {
		if c < 0 {
			list = append(list, "CAST(NULL AS BIGINT)")
			continue
		}
		list = append(list, "c"+strconv.Itoa(int(c)))
	}
	if len(list) == 0 {
		list = append(list, "NULL")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (" + body + ")"
}

// sources says where a task's exchange inputs are.
func (w *Worker) sources(spec *pb.TaskSpec) ([]exchange.Source, error) {
	sources := make([]exchange.Source, len(spec.GetInputs()))
	for i, input := range spec.GetInputs() {
		columns, err := columnsFrom(input.GetColumns())
		if err != nil {
			return nil, err
		}
		sources[i] = exchange.Source{Name: input.GetName(), Schema: arrowtype.WireSchema(typesOf(columns))}
		if len(input.GetRows()) > 0 {
			producer, err := w.sentProducer(spec, input)
			if err != nil {
				return nil, err
			}
			sources[i].Producers = append(sources[i].Producers, producer)
		}
		for _, p := range input.GetProducers() {
			producer := exchange.Producer{Key: keyFrom(p.GetKey()), Worker: ids.WorkerID(p.GetWorkerId())}
			producer.Open = func(ctx context.Context) (flightx.Reader, error) {
				if producer.Worker == w.cfg.ID {
					return w.openPartitions(p.GetTicket())
				}
				return w.cfg.Clients.Open(ctx, p.GetAddress(), p.GetTls(), p.GetTicket())
			}
			sources[i].Producers = append(sources[i].Producers, producer)
		}
	}
	return sources, nil
}
