package distplan

import (
	"slices"

	"github.com/arbalest-sql/arbalest/distplan/operator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

const (
	// waitBytesMax is the estimate up to which a stage is likely to be of use to another one that waits for it: a few times
	// what may be broadcast, since what waits does so for the case that the estimate was too high.
	waitBytesMax = 4 * broadcastBytesMax
	// waitShare is how much larger the stage that waits must be, so that what it may save is more than the pause.
	waitShare = 2
)

// Waits says, by stage, which other stages had better be finished before it starts although it does not read them: the other
// side of a join above both, if that is likely to be far smaller. Should it turn out small enough, every task may read it whole,
// and the join is done where this one lies (JoinWhereItLies); if not, its keys may leave out rows of this one's scans
// (RuntimeFilters). Nothing waits for itself through inputs and waits together. Eager does not look at sizes.
func Waits(p *Plan, eager bool) [][]ids.StageID {
	waits := make([][]ids.StageID, len(p.Stages))
	bytes := OutputBytes(p)
	add := func(stage, other ids.StageID, anyway bool) {
		likely := bytes[other] <= waitBytesMax && bytes[stage] >= waitShare*bytes[other]
		if stage == other || slices.Contains(waits[stage], other) || !likely && !anyway || reaches(p, waits, other, stage) {
			return
		}
		waits[stage] = append(waits[stage], other)
	}
	filters := RuntimeFilters(p)
	for _, anyway := range []bool{false, true} { // what is likely comes first
		if anyway && !eager {
			break
		}
		for _, s := range p.Stages {
			probe, builds := probeOf(p, s, bytes)
			for _, build := range builds {
				add(probe, build, anyway)
			}
		}
		for _, f := range filters {
			add(f.To, f.From, anyway)
		}
	}
	return waits
}

// OutputBytes are estimates of what each stage gives, guessed where the frontend gave none.
func OutputBytes(p *Plan) []float64 {
	bytes, rows := make([]float64, len(p.Stages)), make([]float64, len(p.Stages))
	var known sizes
	for i, s := range p.Stages {
		if s.Body == nil {
			continue
		}
		operator.Walk(s.Body, func(n operator.Node) bool {
			if in, ok := n.(*operator.Input); ok {
				if from := inputOf(s, in.Name); from != nil {
					known.set(in, rows[from.From])
				}
			}
			return true
		})
		bytes[i], rows[i] = known.bytes(s.Body), known.rows(s.Body)
	}
	return bytes
}

// probeOf is the largest stage among a join stage's hash inputs that could be joined where it lies, and the others.
func probeOf(p *Plan, s *Stage, bytes []float64) (probe ids.StageID, builds []ids.StageID) {
	best := -1
	for i, may := range Divisible(s) {
		from := s.Inputs[i].From
		if may && mergeable(p, s, from) && (best < 0 || bytes[from] > bytes[s.Inputs[best].From]) {
			best = i
		}
	}
	if best < 0 {
		return 0, nil
	}
	for i, in := range s.Inputs {
		if i != best && in.Read == ReadShare {
			builds = append(builds, in.From)
		}
	}
	return s.Inputs[best].From, builds
}

// reaches reports whether a stage waits, by its inputs or otherwise, for another one.
func reaches(p *Plan, waits [][]ids.StageID, stage, other ids.StageID) bool {
	seen := make([]bool, len(p.Stages))
	var visit func(ids.StageID) bool
	visit = func(at ids.StageID) bool {
		if at == other {
			return true
		}
		if seen[at] {
			return false
		}
		seen[at] = true
		for _, in := range p.Stages[at].Inputs {
			if visit(in.From) {
				return true
			}
		}
		return slices.ContainsFunc(waits[at], visit)
	}
	return visit(stage)
}
