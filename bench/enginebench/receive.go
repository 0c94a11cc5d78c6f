package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/arbalest-sql/arbalest/internal/arrowtype"
	"github.com/arbalest-sql/arbalest/internal/flightx"
	"github.com/arbalest-sql/arbalest/internal/ids"
	"github.com/arbalest-sql/arbalest/worker/exchange"
)

// stockMessageMax lets a plain client take batches of 64 k rows.
const stockMessageMax = 64 << 20

// receive takes the addresses that send printed, by turns, and prints {"exchange": […], "stock": […]}: a fetch of all partitions up
// to where the engine's input function has counted their rows, and plain reading of all batches. Its arguments: DATA, rounds and
// the two addresses.
func receive(ctx context.Context, args []string) error {
	rounds, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	columns, _ := lineitem(args[0])
	e, err := openEngine(args[0], 2)
	if err != nil {
		return err
	}
	defer e.Close()
	store, err := exchange.OpenStore(exchange.Config{BytesMax: memoryBytes})
	if err != nil {
		return err
	}
	defer store.Close()
	clients := flightx.NewClients(flightx.ClientConfig{})
	defer clients.Close()
	types := typesOf(columns)
	ticket := ""
	for p := range partitions {
		ticket += strconv.Itoa(p) + ","
	}
	source := exchange.Source{Name: "lineitem", Schema: arrowtype.WireSchema(types), Producers: []exchange.Producer{{Key: outputKey, Worker: ids.WorkerID("sender"),
		Open: func(ctx context.Context) (flightx.Reader, error) {
			return clients.Open(ctx, args[2], false, []byte(ticket))
		}}}}
	conn, err := grpc.NewClient("passthrough:///"+args[3], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(stockMessageMax)))
	if err != nil {
		return err
	}
	defer conn.Close()

	results := map[string][]cost{}
	for round := range rounds + 1 {
		for _, one := range []struct {
			name string
			run  func() error
		}{
			{"exchange", func() error {
				in, err := exchange.Fetch(ctx, store, exchange.Request{Query: outputKey.Query, Sources: []exchange.Source{source}})
				if err != nil {
					return err
				}
				defer in.Release()
				input, err := e.AddInput(types, in.Batches[0])
				if err != nil {
					return err
				}
				defer input.Remove()
				return drain(ctx, e, "SELECT count(*) FROM ("+input.SQL()+")")
			}},
			{"stock", func() error { return readStock(ctx, flight.NewFlightServiceClient(conn)) }},
		} {
			c, err := measure(one.run)
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			if round > 0 {
				results[one.name] = append(results[one.name], c)
			}
		}
	}
	if u := e.Usage(); u.Batches+u.Inputs != 0 {
		return fmt.Errorf("the engine still holds %+v", u)
	}
	return print(results)
}

// readStock reads a stream as arrow-go's documentation shows it.
func readStock(ctx context.Context, client flight.FlightServiceClient) error {
	stream, err := client.DoGet(ctx, &flight.Ticket{})
	if err != nil {
		return err
	}
	reader, err := flight.NewRecordReader(stream)
	if err != nil {
		return err
	}
	defer reader.Release()
	for reader.Next() {
		_ = reader.RecordBatch()
	}
	if err := reader.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
