package coordinator

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/frontend"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// size is a message's length on the wire.
func size(m proto.Message) int { return proto.Size(m) }

// taskSpec writes one task down: its fragment, its share of the splits, and where its inputs are.
func (c *Coordinator) taskSpec(q *Query, d dispatch) (*pb.TaskSpec, error) {
	spec, err := c.workOf(q, d.placed, d.Stage, d.Task)
	if err != nil {
		return nil, err
	}
	spec.Key, spec.CoordinatorId, spec.Epoch = keyOf(q.id, d.Stage, d.Task, d.Attempt), c.cfg.ID, q.epoch
	stage := d.placed.plan.Stages[d.Stage]
	inputs := spec.GetInputs()[len(spec.GetInputs())-len(stage.Inputs):] // behind those that are temporary tables
	for i := range stage.Inputs {
		if inputs[i].Producers, err = c.producers(q, d, i); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

// workOf writes down what is the same in every attempt of a task.
func (c *Coordinator) workOf(q *Query, placed *placedPlan, id ids.StageID, index ids.TaskIndex) (*pb.TaskSpec, error) {
	if placed.works != nil {
		return proto.CloneOf(placed.works[id][index]), nil
	}
	stage := placed.plan.Stages[id]
	task := placed.assignment.Stages[id][index]
	spec := &pb.TaskSpec{
		Fragment:   stage.Fragment,
		Output:     outputColumns(placed.plan, stage),
		Partitions: partitionsOf(stage.Output),
		TimeZone:   q.settings.TimeZone(),
		Ordered:    placed.plan.Ordered && stage == placed.plan.Root(),
		Spill:      q.settings.Spill() == settings.Always,
		Keep:       placed.kept && stage == placed.plan.Root(),
		Summarize:  placed.summarize[id],
	}
	if !placed.deadline.IsZero() {
		spec.DeadlineUnixMs = placed.deadline.UnixMilli()
	}
	if spec.Keep && q.rows {
		// To disk, as nobody knows how long the table stays.
		spec.Partitions, spec.Spill = 1, true
	}
	for i := range stage.Scans {
		if stage.Scans[i].Table.Format == frontend.Temporary {
			input, err := c.temporaryInput(q, &stage.Scans[i], task.Splits[i])
			if err != nil {
				return nil, err
			}
			spec.Inputs = append(spec.Inputs, input)
			continue
		}
		scan := scanOf(&stage.Scans[i], task.Splits[i])
		if stage.Scans[i].By != nil {
			var err error
			if scan.Range, err = rangeOf(&stage.Scans[i], task.Ranges[i]); err != nil {
				return nil, err
			}
			if scan.Range != nil {
				scan.Splits = splitsInRange(&stage.Scans[i], task.Ranges[i], task.Splits[i])
			}
		}
		spec.Scans = append(spec.Scans, scan)
	}
	for _, in := range stage.Inputs {
		spec.Inputs = append(spec.Inputs, &pb.ExchangeSource{Name: in.Name, Columns: numbered(in.Types)})
	}
	return spec, nil
}

func keyOf(query ids.QueryID, stage ids.StageID, task ids.TaskIndex, attempt ids.Attempt) *pb.TaskKey {
	return &pb.TaskKey{QueryId: string(query), Stage: uint32(stage), Task: uint32(task), Attempt: uint32(attempt)}
}

func partitionsOf(o distplan.Output) uint32 {
	switch o.Kind {
	case distplan.OutputResult:
		return 0
	case distplan.OutputHash, distplan.OutputRange:
		return uint32(o.Partitions)
	default:
		return 1
	}
}

func outputColumns(plan *distplan.Plan, stage *distplan.Stage) []*pb.Column {
	if stage == plan.Root() {
		return columnsOf(plan.Columns)
	}
	return numbered(stage.Types)
}

func columnsOf(columns []table.Column) []*pb.Column {
	out := make([]*pb.Column, len(columns))
	for i, c := range columns {
		out[i] = &pb.Column{Name: c.Name, Type: c.Type.SQL()}
	}
	return out
}

// numbered names columns c0 … cn.
func numbered(types []table.Type) []*pb.Column {
	out := make([]*pb.Column, len(types))
	for i, t := range types {
		out[i] = &pb.Column{Name: fmt.Sprintf("c%d", i), Type: t.SQL()}
	}
	return out
}

func scanOf(in *distplan.ScanInput, splits []table.Split) *pb.Scan {
	t := in.Table
	scan := &pb.Scan{Name: in.Name, Table: t.Name.String(), Format: string(t.Format)}
	for _, o := range t.Options {
		scan.Options = append(scan.Options, &pb.Option{Name: o.Name, Sql: o.SQL})
	}
	for _, k := range in.Columns {
		column := &pb.Column{Type: table.Of(table.BigInt).SQL()} // a value that nobody reads
		if k >= 0 {
			column = &pb.Column{Name: t.Columns[k].Name, Type: t.Columns[k].Type.SQL()}
		}
		scan.Columns = append(scan.Columns, column)
	}
	for _, k := range t.PartitionColumns {
		scan.PartitionColumns = append(scan.PartitionColumns, t.Columns[k].Name)
	}
	for _, split := range splits {
		scan.Splits = append(scan.Splits, splitOf(split))
	}
	return scan
}

// rangeOf says which rows of a scan that is divided by ranges are a task's; nil when all are.
func rangeOf(in *distplan.ScanInput, run distplan.Run) (*pb.KeyRange, error) {
	if run.First == 0 && run.Until == in.By.Count() {
		return nil, nil
	}
	r := &pb.KeyRange{Column: uint32(in.By.Column)}
	var lower, upper bool
	if run.First > 0 {
		r.Lower, lower = in.By.Cuts[run.First-1].SQL(in.By.Type)
	}
	if run.Until < in.By.Count() {
		r.Upper, upper = in.By.Cuts[run.Until-1].SQL(in.By.Type)
	}
	if lower != (run.First > 0) || upper != (run.Until < in.By.Count()) {
		return nil, qerr.New(qerr.Internal, "a cut of %s has no SQL", in.Table.Name)
	}
	for _, span := range in.Spans {
		r.Nulls = r.Nulls || span.Nulls && run.First == 0
	}
	return r, nil
}

// splitsInRange cuts the splits of a scan that is divided by ranges into those whose rows are all in the run, as their row
// groups' bounds tell, and those of which it takes some.
func splitsInRange(in *distplan.ScanInput, run distplan.Run, splits []table.Split) []*pb.Split {
	var out []*pb.Split
	for _, s := range splits {
		f := s.File
		if len(f.RowGroups) == 0 {
			split := splitOf(s)
			split.Inside = run.Within(in.SpanOf(f, 0))
			out = append(out, split)
			continue
		}
		first := len(out)
		for g, group := range f.RowGroups {
			if !s.Whole() && (group.FirstRow < s.FirstRow || group.FirstRow >= s.FirstRow+s.Rows) {
				continue
			}
			inside := run.Within(in.SpanOf(f, g))
			if last := len(out) - 1; last >= first && out[last].Inside == inside {
				out[last].Rows += group.Rows
				continue
			}
			split := splitOf(table.Split{File: f, FirstRow: group.FirstRow, Rows: group.Rows})
			split.Inside = inside
			out = append(out, split)
		}
		if s.Whole() && len(out) == first+1 {
			out[first].Rows = -1
		}
	}
	return out
}

func splitOf(s table.Split) *pb.Split {
	out := &pb.Split{Path: s.File.Path, Size: s.File.Size, ModTimeUnixNs: s.File.ModTime, FirstRow: s.FirstRow, Rows: s.Rows}
	for _, key := range s.File.Keys {
		if key == nil {
			out.Keys = append(out.Keys, &pb.Key{Null: true})
			continue
		}
		out.Keys = append(out.Keys, &pb.Key{Value: *key})
	}
	return out
}

// producers says where one input's partitions are. Producers that have no row in any of them are left out.
func (c *Coordinator) producers(q *Query, d dispatch, input int) (producers []*pb.Producer, err error) {
	task, from := &d.placed.assignment.Stages[d.Stage][d.Task], d.placed.plan.Stages[d.Stage].Inputs[input].From
	for t, producer := range d.states[from] {
		var partitions []int
		for _, p := range task.Partitions[input] {
			if task.Reads(input, p, ids.TaskIndex(t)) {
				partitions = append(partitions, p)
			}
		}
		wanted := nonEmpty(partitions, producer.PartitionRows)
		if len(wanted) == 0 {
			continue
		}
		worker, ok := d.workers[producer.Worker]
		if !ok {
			return nil, fmt.Errorf("stage %d task %d is assigned to the unknown worker %s", from, t, producer.Worker)
		}
		key := keyOf(q.id, from, ids.TaskIndex(t), producer.Attempt)
		ticket, err := c.sign(q, &pb.Ticket{Audience: pb.Audience_AUDIENCE_EXCHANGE, Key: key, Partitions: wanted}, worker)
		if err != nil {
			return nil, err
		}
		producers = append(producers, &pb.Producer{
			Key: key, WorkerId: string(worker.ID), Address: worker.Address, Tls: worker.TLS, Ticket: ticket,
		})
	}
	return producers, nil
}

// nonEmpty keeps the partitions that have rows; all of them when the producer did not say.
func nonEmpty(partitions []int, rows []uint64) []uint32 {
	var wanted []uint32
	for _, p := range partitions {
		if len(rows) == 0 || p < len(rows) && rows[p] > 0 {
			wanted = append(wanted, uint32(p))
		}
	}
	return wanted
}
