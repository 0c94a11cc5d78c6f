package lint

// module is the path that all our import paths begin with.
const module = "github.com/arbalest-sql/arbalest/"

// purePackages are the core that everything else stands on: plans and facts as values, no effects.
var purePackages = []string{
	"catalog/table",
	"distplan/...",
	"internal/adapt",
	"internal/coordinator/lifecycle",
	"internal/ids",
	"internal/invariants",
	"internal/member",
	"internal/qerr",
	"internal/schedule",
	"internal/settings",
	"worker/lifecycle",
}

// impurePackages lie below a pattern of purePackages and are not pure.
var impurePackages = map[string]string{
	"internal/qerr/grpcerr": "carries errors over gRPC",
}

// impureImports have effects, or give what differs from run to run. They are banned as direct imports: what pure packages
// import of the standard library besides (fmt) may use them inside.
var impureImports = map[string]string{
	"C": "cgo", "unsafe": "memory layout", "net/...": "network", "os/...": "files, environment, signals", "io/fs": "files", "path/filepath": "files",
	"syscall": "the system", "log/...": "output", "math/rand/...": "randomness", "crypto/rand": "randomness", "runtime/...": "the process",
	"plugin": "code", "embed": "files",
}

// A reachRule bans packages from what a package links, however indirectly.
type reachRule struct {
	from, to []string
	except   []string // of to
	why      string
}

var reachRules = []reachRule{
	{
		from:   []string{"worker/..."},
		to:     []string{"distplan/...", "catalog/...", "internal/cluster/...", "flightserver/...", "internal/coordinator/...", "internal/frontend/...", "internal/schedule", "internal/adapt"},
		except: []string{"catalog/table"},
		why:    "a worker must run any fragment that a newer planner invents, so it knows tasks and tickets only",
	},
	{
		from: []string{"internal/duck"}, to: []string{"distplan/...", "worker/...", "internal/coordinator/...", "flightserver/...", "catalog", "catalog/dirdriver", "internal/protocol/..."},
		why: "the engine runs SQL over named inputs; what a query is, is told above it",
	},
	{
		from: []string{"flightserver/...", "internal/coordinator/..."}, to: []string{"worker/..."},
		why: "coordinators reach workers through the control service, or through an interface that cmd wires: both processes must be able to live apart",
	},
	{
		from: []string{"catalog/..."}, to: []string{"internal/duck/...", "distplan/...", "internal/coordinator/...", "worker/...", "github.com/duckdb/..."},
		why: "drivers ask the engine through the Sniffer, which cmd wires: a catalog can be tested, and listed, without cgo",
	},
	{
		from: []string{"internal/auth", "internal/cluster/...", "internal/protocol/...", "internal/qerr/grpcerr", "internal/config", "internal/arrowtype", "internal/arrowwire"},
		to:   []string{"internal/duck/...", "github.com/duckdb/..."},
		why:  "only what runs or plans SQL links the engine",
	},
	{
		from:   []string{"./..."},
		to:     []string{"internal/testcluster/...", "internal/lint", "cmd/...", "integration/...", "bench/..."},
		except: nil,
		why:    "programs and tests stand on the system, nothing stands on them",
	},
	{
		from: []string{"./..."}, to: []string{"go.etcd.io/..."}, why: "etcd's client stays in its driver, internal/cluster/etcd",
	},
	{
		from: []string{"./..."}, to: []string{"k8s.io/..."}, why: "the Kubernetes client stays in its driver, internal/cluster/kubernetes",
	},
	{
		from: []string{"./..."}, to: []string{"github.com/apache/arrow/go/..."},
		why: "two Flight packages in one process panic at start; the v15 client is a module of its own",
	},
}

// reachExceptions are packages to which the rules of "./..." do not apply: programs, what wires them, and the drivers.
var reachExceptions = []string{
	"cmd/...", "integration/...", "bench/...", "internal/testcluster/...", "internal/cluster/etcd/...", "internal/cluster/kubernetes/...",
}

// importRules say, for packages with a small circle, which packages of ours they may import directly. Pure packages are
// open to all but workers, for whom the rule above draws the line.
var importRules = []struct {
	of      string
	allowed []string
	why     string
}{
	{"flightserver/...", []string{"flightserver/...", "internal/coordinator", "internal/frontend", "catalog", "internal/auth", "internal/flightx", "internal/qerr/grpcerr",
		"internal/protocol/pb", "internal/arrowtype", "internal/temptable"}, "the door turns Flight SQL into calls on the coordinator and does no planning"},
	{"internal/coordinator/...", []string{"internal/coordinator/...", "internal/frontend", "catalog", "internal/cluster/...", "internal/auth", "internal/flightx",
		"internal/protocol/pb", "internal/qerr/grpcerr", "internal/arrowtype", "internal/arrowwire", "internal/temptable"}, "the coordinator owns queries and talks to planning, membership and workers' services"},
	{"internal/frontend/...", []string{"internal/frontend/...", "catalog", "internal/duck", "internal/duck/plandb", "internal/flightx", "internal/arrowtype"},
		"the frontend turns SQL into trees by planning instances and the catalog; it runs nothing on workers"},
	{"worker/...", []string{"worker/...", "internal/duck", "internal/auth", "internal/flightx", "internal/protocol/pb", "internal/qerr/grpcerr", "internal/arrowtype",
		"internal/scratch", "catalog/table"}, "a worker runs tasks: engine, tickets and Flight"},
	{"catalog/...", []string{"catalog/..."}, "the catalog knows files and tables, nothing of queries"},
	{"internal/duck/...", []string{"internal/duck/...", "internal/arrowtype", "catalog/driver"}, "cgo stops here, and knows nothing of the cluster"},
	{"internal/auth", []string{"internal/protocol/pb"}, "credentials are checked by everyone"},
	{"internal/cluster/...", []string{"internal/cluster/...", "internal/protocol/pb", "internal/auth", "internal/flightx", "internal/qerr/grpcerr"}, "membership knows records, not queries"},
}

// directRules ban direct imports that are right indirectly.
var directRules = []struct {
	packages []string // imported
	allowed  []string // importers
	why      string
}{
	{[]string{"github.com/duckdb/..."}, []string{"internal/duck/..."}, "DuckDB's API, and the rules of its threads and memory, stay in one place"},
	{[]string{"C"}, []string{"internal/duck/..."}, "cgo stops at the engine"},
	{[]string{"distplan/..."}, []string{"distplan/...", "internal/frontend/...", "internal/coordinator/...", "internal/schedule", "internal/adapt", "integration/...", "bench/...", "cmd/...", "internal/testcluster/..."},
		"plans are made by the frontend's side and used by the coordinator; the door and the workers see neither"},
	{[]string{"log"}, nil, "logs are zerolog's"},
}

// bannedWords are glossary words for which another one is ours; they are looked for in exported identifiers.
var bannedWords = map[string]string{
	"Executor": "worker", "Gateway": "coordinator", "Slave": "worker", "Master": "coordinator", "Heartbeat": "lease", "Shuffle": "exchange",
	"Motion": "exchange", "Mailbox": "exchange", "Morsel": "split", "Shard": "partition", "Bucket": "partition", "Subtask": "task",
	"Subplan": "stage", "Upstream": "producer", "Downstream": "consumer", "JobGraph": "plan", "ExecutionGraph": "plan", "Job": "query or task",
	"LogicalPlan": "operator tree", "PhysicalPlan": "plan", "Peer": "member", "Namespace": "db schema",
}

// wordExceptions say where a banned word is right.
var wordExceptions = map[string]string{
	"internal/duck Job":                     "a piece of work for the engine, below what a query or a task is",
	"internal/cluster/kubernetes Namespace": "Kubernetes's own word",
}
