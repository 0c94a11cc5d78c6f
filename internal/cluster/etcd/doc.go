// Package etcd is the membership that several coordinators share: workers and coordinators keep a record under a lease in etcd,
// and watch each other's.
//
//	<prefix>/workers/<id>/<incarnation>   a worker's record, signed with the cluster key
//	<prefix>/coordinators/<address>       which life of a coordinator is there, and what data it serves, signed likewise
//	<prefix>/fallen/<life>                who goes on with the queries of a life that is over
//	<prefix>/queries/<life>/<query>       what another coordinator needs to go on with a query
//
//	worker: Registrar ── lease, Put ──▶ etcd ── watch ──▶ Membership: coordinator
//	        (data locations) ◀── watch ── etcd ◀── lease, Put ──┘
//
// Invariants:
//  1. A key lives as long as its lease: a process that ends, hangs or is cut off disappears within the lease's time to live;
//     one that leaves revokes its lease. Time is etcd's: no clock of ours is compared with another's.
//  2. A record counts only when the cluster key signed it: write access to etcd alone makes nobody a worker.
//  3. The order of joins is etcd's order of creation, so that all coordinators judge duplicates alike. A worker that joins
//     again under its incarnation puts its key under its new lease; the end of the old one does not remove it.
//  4. While etcd cannot be reached, or has no leader, the membership stays what it last was, and is read whole afterwards.
//  5. A life falls once, and from then on every write of its own is refused: each is one transaction with that condition. So
//     what a successor reads does not change behind its back.
//  6. Close of either side waits for its goroutines.
package etcd
