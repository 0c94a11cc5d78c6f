// Package drivertest holds what every catalog driver must do (RunConformance), a check of the tables it loads (CheckTable),
// and a driver whose tables live in memory, for tests of what stands on the catalog.
package drivertest
