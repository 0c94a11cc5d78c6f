package contest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// wantTime and wantRows bound what a statement may cost the oracle; past them it is not a good example, and skipped.
	wantTime = 3 * time.Second
	wantRows = 20_000
	// haveTime is far more than any such statement needs on a busy machine: past it something hangs.
	haveTime = 5 * time.Minute
)

// ErrSkip is a statement that costs too much to be compared.
var ErrSkip = errors.New("too costly to compare")

// A Want is the right answer: rows in a schema, or a refusal.
type Want struct {
	Schema *arrow.Schema
	Rows   *oracle.Rows
	// Refusal is DuckDB's error; nil when it answers.
	Refusal error
}

// Ask asks the oracle. Its error is ErrSkip, or one of the oracle itself.
func Ask(ctx context.Context, db *plaindb.DB, sql string) (*Want, error) {
	ctx, cancel := context.WithTimeout(ctx, wantTime)
	defer cancel()
	return AskPatiently(ctx, db, sql)
}

// AskPatiently is Ask for statements that are to be compared whatever time they take; ctx bounds it.
func AskPatiently(ctx context.Context, db *plaindb.DB, sql string) (*Want, error) {
	r, err := db.Query(ctx, sql, wantRows)
	var fault *minidb.Fault
	switch {
	case errors.Is(err, plaindb.ErrTooLarge), errors.Is(err, context.DeadlineExceeded):
		return nil, ErrSkip
	case errors.As(err, &fault) && fault.Type == "out of memory":
		return nil, ErrSkip
	case errors.As(err, &fault) && (fault.Type == "internal" || fault.Type == "fatal"):
		return nil, fmt.Errorf("the oracle broke: %w", err)
	case errors.As(err, &fault):
		return &Want{Refusal: err}, nil
	case err != nil:
		return nil, err
	}
	defer r.Release()
	rows := oracle.FromBatches(r.Schema, r.Batches)
	for i, c := range r.Columns {
		rows.Columns[i] = c.Name
	}
	return &Want{Schema: r.Schema, Rows: rows}, nil
}

// Judge runs a statement under a configuration and says what is wrong with its answer; nil when nothing is. ordered are the
// columns in which rows must come in the wanted order.
func (a *Arena) Judge(ctx context.Context, c Config, sql string, want *Want, ordered []int) error {
	ctx, cancel := context.WithTimeout(ctx, haveTime)
	defer cancel()
	r, err := a.Run(ctx, c, sql)
	if err != nil {
		switch kind := qerr.KindOf(err); {
		case want.Refusal == nil:
			return fmt.Errorf("we fail (%s) where DuckDB answers: %w", kind, err)
		case kind == qerr.Unsupported && refusedAs(want.Refusal, "not implemented"): // as an engine of ours may find out too
		case kind == qerr.NotFound && refusedAs(want.Refusal, "catalog"):
		case kind != qerr.User:
			return fmt.Errorf("the error has kind %s, not USER: %w\nDuckDB says: %w", kind, err, want.Refusal)
		}
		return nil
	}
	defer r.Release()
	if want.Refusal != nil {
		return fmt.Errorf("we give %d rows where DuckDB fails: %w", r.Rows(), want.Refusal)
	}
	if !r.Schema.Equal(want.Schema) {
		return fmt.Errorf("the schema differs:\nhave %s\nwant %s", schemaText(r.Schema), schemaText(want.Schema))
	}
	return oracle.CompareExactly(want.Rows, oracle.FromBatches(r.Schema, r.Batches), ordered...)
}

// refusedAs reports whether DuckDB's error is of a type.
func refusedAs(refusal error, kind string) bool {
	var fault *minidb.Fault
	return errors.As(refusal, &fault) && fault.Type == kind
}

func schemaText(s *arrow.Schema) string {
	fields := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		fields[i] = f.Name + " " + f.Type.String()
		if f.HasMetadata() {
			fields[i] += " " + f.Metadata.String()
		}
		if !f.Nullable {
			fields[i] += " not null"
		}
	}
	return strings.Join(fields, ", ")
}
