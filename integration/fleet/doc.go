// Package fleet tests clusters whose nodes meet in a store that outlives each of them: several coordinators over the same
// workers, with processes and members of the store killed under way. Queries of killed coordinators go on at others; workers' logs
// prove that nothing is done for the fallen.
package fleet
