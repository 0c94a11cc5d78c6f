package coordinator

import "github.com/arbalest-sql/arbalest/internal/ids"

// endHeld ends at a worker the queries that it holds something of and that have ended here, or that are not known here any
// more. Each end was told before (release), or will be soon; this is for what went wrong, whatever that was: within two pings
// nothing of an ended query is left at a worker that is in reach.
func (c *Coordinator) endHeld(link *link, held []string) {
	for _, text := range held {
		id := ids.QueryID(text)
		if c.registry.isLive(id) || c.releases.isUnderWay(releaseKey{link.record.ID, id}) {
			continue
		}
		var why error // none is known of a query of long ago
		if q, known := c.registry.find(id); known {
			why = q.err()
		}
		c.cfg.Log.Debug().Str("worker", string(link.record.ID)).Str("query", text).Msg("the worker holds something of a query that has ended; it is told again")
		c.release(link.record, id, why)
	}
}
