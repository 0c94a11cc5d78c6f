package flightserver

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

const (
	// fuzzSample is how many calls a run without a time makes, with fuzzSeed: some seconds.
	fuzzSample, fuzzSeed = 2000, 1
	// fuzzHang is when a call counts as hung. The sample runs on machines where everything takes long.
	fuzzHang, fuzzSampleHang = 30 * time.Second, 3 * time.Minute
	// fuzzCallers call at once.
	fuzzCallers = 4
	// fuzzReplies bounds what is read of one stream; then the caller goes away.
	fuzzReplies = 32
	// fuzzRows are the rows of each file: few, as nobody knows what will be joined with what.
	fuzzRows = 25
)

// panics counts the panics that a log tells of, and keeps the first.
type panics struct {
	mu    sync.Mutex
	count int
	first string
}

func (p *panics) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(`"stack"`)) || bytes.Contains(b, []byte("panic")) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count++; p.first == "" {
			p.first = string(b)
		}
	}
	return len(b), nil
}

func (p *panics) seen() (int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count, p.first
}

// TestFuzzFlight sends messages that are nearly right to every entry point of a coordinator and of workers, with logins and without. A
// crash ends the test; a recovered panic, an internal error for a message that could be read, a call that does not end, and
// anything held at the end fail it. ARBALEST_FUZZ_FLIGHT is how long it runs (30m), ARBALEST_FUZZ_SEED which messages it makes.
func TestFuzzFlight(t *testing.T) {
	duration, seed, hang := time.Duration(0), uint64(fuzzSeed), fuzzSampleHang
	if text := os.Getenv("ARBALEST_FUZZ_FLIGHT"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		hang = fuzzHang
		seed = uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("ARBALEST_FUZZ_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d", seed)
	log := &panics{}
	// What nobody closes, polls or reads is dropped soon.
	options := testcluster.Options{Workers: 2, RequireToken: true, Log: zerolog.New(log), Limits: coordinator.Limits{ResultTTL: 2 * time.Second, SpoolTTL: 2 * time.Second}}
	r := startRealWith(t, options, fuzzRows, func(c *Config) {
		withUsers(c)
		c.Log, c.SessionIdleMax, c.PollIdleMax, c.PollWaitMax = zerolog.New(log), 3*time.Second, 2*time.Second, 10*time.Millisecond
	})
	dial := func(address string) *grpc.ClientConn {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	var workers []*grpc.ClientConn
	for _, w := range r.cluster.Workers {
		workers = append(workers, dial(w.Address))
	}
	stop := make(chan struct{})
	var once sync.Once
	var faults sync.Map
	fault := func(format string, args ...any) {
		once.Do(func() { close(stop) })
		faults.Store(fmt.Sprintf(format, args...), true)
	}
	begin := time.Now()
	var callers sync.WaitGroup
	all := make([]*fuzzer, fuzzCallers)
	for i := range all {
		f := &fuzzer{mutator: &mutator{Rand: rand.New(rand.NewPCG(seed, uint64(i))), streams: goodStreams()}, keys: r.cluster.Keys,
			door: dial(r.addr), workers: workers, hang: hang, codes: map[string]map[codes.Code]int{}, fault: fault}
		all[i] = f
		callers.Go(func() {
			for n := 0; duration > 0 && time.Since(begin) < duration || duration == 0 && n < fuzzSample/fuzzCallers; n++ {
				select {
				case <-stop:
					return
				default:
				}
				f.call()
				if count, first := log.seen(); count > 0 {
					fault("%d panics, the first: %s", count, first)
				}
			}
		})
	}
	callers.Wait()
	total := 0
	for _, method := range slices.Sorted(maps.Keys(sumCodes(all))) {
		counts := sumCodes(all)[method]
		for _, n := range counts {
			total += n
		}
		t.Logf("%-45s %v", method, counts)
	}
	t.Logf("%d calls in %s", total, time.Since(begin).Round(time.Second))
	faults.Range(func(text, _ any) bool { t.Errorf("%s", text); return true })

	// It still answers, and in the end nothing is held.
	c := as(t, r.fixture, "anna")
	if n := query(t, c, "SELECT count(*) FROM events"); len(n) != 1 || n[0] != eventFiles*fuzzRows {
		t.Errorf("after all that it counts %v", n)
	}
	for end := time.Now().Add(fuzzSampleHang); r.Usage() != (Usage{}); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the door holds %+v", r.Usage())
		}
	}
	r.cluster.Idle(t)
}

func sumCodes(all []*fuzzer) map[string]map[codes.Code]int {
	sum := map[string]map[codes.Code]int{}
	for _, f := range all {
		for method, counts := range f.codes {
			if sum[method] == nil {
				sum[method] = map[codes.Code]int{}
			}
			for code, n := range counts {
				sum[method][code] += n
			}
		}
	}
	return sum
}
