// Package driver is what a membership back end implements for package cluster.
//
// Invariant: a driver collects what workers say and lets leases run out; it judges nothing (see package member) and keeps
// two records of one worker id apart.
package driver
