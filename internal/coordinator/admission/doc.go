// Package admission decides which query runs next: it bounds those that run, and shares the places fairly among resource
// groups. It is pure: no clock, goroutine or lock; the coordinator calls it under its own.
//
//	Enter ──▶ a place now
//	      ├─▶ the queue of its group ──(somebody leaves)──▶ a place
//	      └─▶ refused: the queue is full
//
// A place that becomes free goes to the group that has the fewest running queries for its weight; of equal ones, to the one
// that has started the fewest for its weight since it began to wait (stride scheduling); then, and within a group, first
// come, first served. So while groups wait, the places they hold are as their weights, in whole places and at least one each, whatever the
// length of their queries; when there are fewer places than groups, they take turns by weight. A place that no other group
// wants is anybody's.
//
// Invariants:
//  1. No more than RunningMax run, and no more of a group than its own RunningMax.
//  2. No place is free while a query waits whose group may run one more.
//  3. No group waits for ever while queries end: each start puts a group behind those that wait.
//  4. What is remembered of a group goes with its last query: idleness earns nothing, and the memory is bounded by the queries.
package admission
