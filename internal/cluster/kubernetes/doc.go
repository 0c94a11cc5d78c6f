// Package kubernetes is the membership of a cluster whose workers Kubernetes lists: EndpointSlices of a headless Service say
// where workers are, and what each is, it says itself over a stream that its coordinators open.
//
//	kubelet, controllers ──▶ EndpointSlices ── list, watch ──▶ Membership: coordinator
//	                                                              │ one visit a place:
//	worker: Registrar ◀── greeting (data locations), pings ───────┤
//	                  ─── answer (record), echoes ───────────────▶┘
//
// Invariants:
//  1. A worker is a member of a coordinator for as long as its place is in a slice and its stream is neither ended nor silent
//     for the lease. Readiness does not matter: a worker that is not ready is met, and says so itself. No clock is compared
//     with another's, and nothing is written to the API server: workers need no access to it, coordinators list and watch
//     EndpointSlices of one namespace.
//  2. A record counts only when the cluster key signed it for the nonce of this stream, and only at the place that it names:
//     write access to EndpointSlices makes nobody a worker. No credential is sent to a place.
//  3. Duplicates are judged in the order in which this coordinator met them. A worker that is met again in the same life
//     keeps its place in the order, and the end of its old stream does not remove it.
//  4. While the API server cannot be reached the places stay what they last were, and are read whole afterwards; the streams
//     go on telling who lives.
//  5. Close of either side waits for its goroutines.
package kubernetes
