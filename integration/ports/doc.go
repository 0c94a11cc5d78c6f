// Package ports finds addresses that processes of a test can be told to listen on.
//
// A process is given its address before it starts, and may be killed and started again at the same one. A port that the
// kernel chose (":0") and that was closed again does not serve for that: it lies in the range from which the kernel takes
// the ports of outgoing connections, and any of them may take it before the process listens.
//
// Invariants
//  1. Every address lies below the kernel's range of outgoing ports and was free when it was given.
//  2. No address is given twice by one process; two processes start looking at different places.
package ports
