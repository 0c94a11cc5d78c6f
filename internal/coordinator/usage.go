package coordinator

// Usage is what the coordinator holds right now. All but Links and Ended are zero when it is idle.
type Usage struct {
	// Live are queries that have not ended; Running and Queued are those of them that admission knows.
	Live, Running, Queued int
	// Waiting are queries that wait for the first worker.
	Waiting int
	// LocalBytes are statements held to be answered by the coordinator itself.
	LocalBytes int64
	// Releasing are ends of queries that workers have not confirmed.
	Releasing int
	// Ended are the ended queries that sys.queries still shows.
	Ended int
	// Links are workers that are followed, LinksUp those that speak.
	Links, LinksUp int
}

// Usage counts what the coordinator holds, for tests and for readiness.
func (c *Coordinator) Usage() Usage {
	var u Usage
	u.Live, u.Ended = c.registry.sizes()
	u.Running, u.Queued = c.admission.sizes()
	u.LocalBytes = c.localBytes.Load()
	u.Releasing = c.releases.size()
	u.Links, u.LinksUp, u.Waiting = c.links.sizes()
	return u
}
