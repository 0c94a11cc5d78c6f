// Command bareserver is the least Flight SQL server that arrow-go makes: it answers every statement with one row, the
// number 1. It is the baseline of `SELECT 1`: what the protocol and its library cost without an engine behind them.
package main
