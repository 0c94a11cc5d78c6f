// Package planted shows that the suites would catch the wrong answers that distributed engines are known to give: it plants
// each of them, as an edit of the sources, and lets the logic test that is named after it and the random queries run on
// what comes out. Both must fail.
//
// A plant is a file under testdata: prose, the logic test, and edits.
//
//	# why this is wrong, and where it was seen
//	logic: wrong/rollup_collapsed
//	file: distplan/rule_two_phases.go
//	<<<<
//	the text as it stands, found once
//	====
//	the text that breaks it
//	>>>>
//
// The sources stay as they are: the edited files go to the compiler as an overlay.
//
// Invariants
//  1. Every edit of every plant fits the sources, and leaves a file that parses: a test of a second says so at each change.
//     One that does not fit any more is mended, not dropped.
//  2. A planted bug is the bug itself, and where a check of the planner would turn it into an error, without that check.
package planted
