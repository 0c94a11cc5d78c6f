// Package distplan turns an operator tree into a Plan: a DAG of stages that workers run, joined by exchanges.
//
// Flow: rules rewrite the operator tree, each leaving a valid single-node tree; then exchanges are placed, which never
// changes topology; then the tree is cut into stages and each stage's body printed as one SQL fragment. Validate checks
// every plan. Explain prints it, and is the golden form of the tests.
//
// Stages form a DAG: an output may have several readers. What a statement evaluates once and reads in several places is a
// Share (package operator), cut into one stage: the definition of a CTE, the outer rows of a correlated subquery. A share is
// laid out by the keys that suit the most readers (wishes.go), and each reader takes of it what it needs: its share of the
// partitions, all of them in every task (a broadcast), or all in one task (a gather). Subtrees that are equal and give the
// same rows each time become one stage as well, when they are cut. A correlated subquery is then two plain operators:
//
//	join l.k IS NOT DISTINCT FROM s.k          stage 2: reads its share of stage 0 twice, and of stage 1
//	 ├─ shared read of L ─────────────┐
//	 └─ subquery s                    ├──▶ stage 0: L, by hash of k
//	     └─ distinct k                │
//	         └─ shared read of L ─────┘
//
// Scans read only the row groups and files in which a filter's rows can be (rule_prune.go), and are divided by ranges of a
// column by which they lie sorted, where that saves an exchange (cluster.go).
//
// Grouped aggregates are computed in parts below their exchange only where footers do not tell that the parts would be nearly
// as many as the rows (rule_skip_partial.go, groups.go).
//
// ORDER BY of the whole result is sorted by many tasks where the session reads endpoints in their order
// (Options.OrderedEndpoints, rule_sort.go): a sample of the leading key makes cuts, rows go to range partitions by them, each
// task sorts a run of these.
//
// Two functions change a plan that runs, by making another one: JoinWhereItLies, when a side of a join turned out small, and
// Narrow, when its keys leave out rows of the other side's scan (RuntimeFilters says which may).
//
// Invariants:
//  1. The package is pure: no I/O, clock, goroutine, randomness or cgo. The same input gives the same plan, byte for byte.
//  2. An operator, expression or function is distributed only by an explicit rule. Everything else takes the gather
//     fallback, with a reason that EXPLAIN shows.
//  3. A Plan is a value: nobody changes it after Build returned it.
package distplan
