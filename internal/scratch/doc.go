// Package scratch gives a process directories of its own, for data that must not outlive it: spilled outputs, temporary files
// of the engine.
//
// Invariants:
//  1. A directory has one owner as long as that lives, held by a lock on the directory itself, which the system frees when
//     the process ends, however it ends.
//  2. Open removes what dead owners left beside the new directory. It never removes one whose owner lives, of this process or
//     another, nor anything whose name has another prefix.
//
// Whoever opens a directory closes it, after the last file in it.
package scratch
