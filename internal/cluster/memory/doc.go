// Package memory is the membership of one coordinator that keeps it in memory: workers join over a stream and keep their
// lease by pinging. A coordinator that restarts has an empty membership until its workers have joined again, which they do
// by themselves.
//
//	worker: Registrar ── Join(record, then a ping a second) ──▶ coordinator: Membership
//	                  ◀── welcome, then echoes ──
//
// Invariants:
//  1. A member is live from the first message of its stream until the stream ends or stays silent for the lease. Both ends
//     watch the silence: a worker that hears no echo connects again. Clocks are compared once, by the credential at the join:
//     those of coordinator and worker may differ by auth.ClockSkewMax.
//  2. A caller without the cluster credential gets nothing. The one exception is a worker without a key that asks for one
//     over loopback from a coordinator that made its key itself.
//  3. Two live workers with one id are both listed; a connection of the same incarnation replaces its predecessor.
//  4. Close of either side waits for its goroutines.
//
// Embedded workers are members by Add: they live and die with the process and need no lease.
package memory
