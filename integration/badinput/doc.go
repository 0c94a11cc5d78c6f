// Package badinput holds one named test for each bad input that a client can send: the door refuses it with the right
// status and a message that helps, and the next query works.
package badinput
