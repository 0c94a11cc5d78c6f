package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/arbalest-sql/arbalest/integration/client"
	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/tpch"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/qerr/grpcerr"
)

// seed orders the queries; fixed, so that a failure can be run again.
const seed = 20210131

// endless has more rows than anybody reads, through an exchange.
const endless = "SELECT a.l_comment || b.l_comment AS c, count(*) AS n FROM lineitem AS a, lineitem AS b GROUP BY ALL"

// rows is a stream that can be left after its first batch.
const rows = "SELECT a.l_comment || b.l_comment AS c FROM lineitem AS a, lineitem AS b"

// small are statements of one stage, or of none.
var small = []string{
	"SELECT 42 AS answer", "SELECT n_name FROM nation WHERE n_nationkey = 7", "SELECT count(*) AS n FROM lineitem",
	"SELECT name, value FROM sys.settings", "SELECT count(*) AS n FROM sys.queries", "SELECT c_name FROM customer WHERE c_custkey < 20",
	"SHOW TABLES",
}

// wrong are statements that fail, in the planner and while they run.
var wrong = []string{
	"SELECT nope FROM nation", "SELEC 1", "SELECT CAST(n_name AS INTEGER) FROM nation",
	"SELECT CAST(l_comment AS INTEGER) AS c, count(*) FROM lineitem GROUP BY ALL",
}

// one runs the n-th query. gone says that the session must not be used again.
func (s *soak) one(ctx context.Context, session *client.Session, n int) (gone bool, err error) {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	switch way := random.IntN(100); {
	case way < 50:
		s.count("exchange")
		return false, s.checked(ctx, session, 1+random.IntN(22), "auto")
	case way < 63:
		s.count("exchange", "spill")
		return false, s.checked(ctx, session, 1+random.IntN(22), "always")
	case way < 85:
		s.count("small")
		return false, session.Exec(ctx, small[random.IntN(len(small))])
	case way < 90:
		s.count("wrong")
		return false, fails(ctx, session, wrong[random.IntN(len(wrong))], qerr.User)
	case way < 93:
		s.count("cancelled")
		return false, cancelled(ctx, session)
	case way < 96:
		s.count("killed")
		return false, killed(ctx, session)
	case way < 98:
		s.count("call ended")
		return false, left(ctx, session, nil)
	default:
		s.count("disconnected")
		return true, left(ctx, session, session.Close)
	}
}

// checked runs a TPC-H query over all workers and compares its rows.
func (s *soak) checked(ctx context.Context, session *client.Session, number int, spill string) error {
	for _, set := range []string{"arbalest.distributed = 'always'", "arbalest.spill = '" + spill + "'"} {
		if err := session.Exec(ctx, "SET "+set); err != nil {
			return err
		}
	}
	q := tpch.Queries()[number-1]
	result, err := session.Query(ctx, q.SQL)
	if err != nil {
		return fmt.Errorf("%s: %w", q.Name, err)
	}
	defer result.Release()
	if err := oracle.Compare(s.want[number], oracle.FromBatches(result.Schema, result.Batches), tpch.OrderBy[number]...); err != nil {
		return fmt.Errorf("%s: %w", q.Name, err)
	}
	return nil
}

func fails(ctx context.Context, session *client.Session, sql string, kind qerr.Kind) error {
	err := session.Exec(ctx, sql)
	if got := qerr.KindOf(grpcerr.FromStatus(err)); err == nil || got != kind {
		return fmt.Errorf("%s: ended with %s (%w), want %s", sql, got, err, kind)
	}
	return nil
}

// cancelled polls for an endless query and cancels it by CancelFlightInfo.
func cancelled(ctx context.Context, session *client.Session) error {
	info, err := begin(ctx, session)
	if err != nil {
		return err
	}
	_, err = session.SQL.CancelFlightInfo(ctx, &flight.CancelFlightInfoRequest{Info: info})
	return err
}

// killed ends an endless query by KILL.
func killed(ctx context.Context, session *client.Session) error {
	info, err := begin(ctx, session)
	if err != nil {
		return err
	}
	return session.Exec(ctx, "KILL '"+string(info.GetAppMetadata())+"'")
}

// begin starts an endless query and gives what the server calls it.
func begin(ctx context.Context, session *client.Session) (*flight.FlightInfo, error) {
	poll, err := session.SQL.ExecutePoll(ctx, endless, nil)
	if err != nil {
		return nil, err
	}
	return poll.GetInfo(), nil
}

var errLeft = errors.New("the client left")

// left reads the first batch of an endless stream and goes away, by ending the call or as leave says.
func left(ctx context.Context, session *client.Session, leave func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	info, err := session.SQL.Execute(ctx, rows)
	if err != nil {
		return err
	}
	var part client.Part
	err = session.ReadEndpoint(ctx, info.GetEndpoint()[0], &part, nil, func(arrow.RecordBatch) error {
		if leave != nil {
			return errors.Join(errLeft, leave())
		}
		return errLeft
	})
	if errors.Is(err, errLeft) {
		return nil
	}
	return fmt.Errorf("before the first batch: %w", err)
}
