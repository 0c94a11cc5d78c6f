package gen

// Shrink looks for a smaller case that still fails. fails is asked about candidates, most of which will not even bind; it is
// asked at most tries times. The case itself must fail.
func Shrink(c Case, tries int, fails func(Case) bool) Case {
	s := shrinker{fails: fails, tries: tries}
	for {
		smaller, found := s.step(c)
		if !found {
			return c
		}
		c = smaller
	}
}

type shrinker struct {
	fails func(Case) bool
	tries int
}

// step finds one simplification, outer parts first: they take the most away.
func (s *shrinker) step(c Case) (Case, bool) {
	var all []*Node
	c.Have.walk(func(n *Node) { all = append(all, n) })
	if c.Want != c.Have {
		c.Want.walk(func(n *Node) { all = append(all, n) })
	}
	seen := map[*Node]bool{}
	for _, n := range all {
		if seen[n] {
			continue
		}
		seen[n] = true
		for _, by := range smaller(n) {
			if s.tries == 0 {
				return c, false
			}
			candidate := c
			candidate.Have = c.Have.replace(n, by)
			if candidate.Want = candidate.Have; c.Want != c.Have {
				candidate.Want = c.Want.replace(n, by)
			}
			if candidate.Have.size()+candidate.Want.size() >= c.Have.size()+c.Want.size() {
				continue
			}
			s.tries--
			if s.fails(candidate) {
				return candidate, true
			}
		}
	}
	return c, false
}

// smaller lists what may stand in n's place, the smallest first.
func smaller(n *Node) []*Node {
	switch n.role {
	case clause:
		if n.empty() {
			return nil
		}
		return []*Node{txt("")}
	case list:
		return fewer(n)
	case value:
		out := []*Node{val(n.class, "CAST(NULL AS "+n.class.sqlType()+")"), val(n.class, newRandom(0).literal(n.class, 1))}
		return append(out, inside(n, func(k *Node) bool { return k.role == value && k.class == n.class })...)
	case query:
		return inside(n, func(k *Node) bool { return k.role == query })
	case source:
		return inside(n, func(k *Node) bool { return k.role == source })
	}
	return nil
}

// fewer lists n with half of its parts, then with one less.
func fewer(n *Node) []*Node {
	var out []*Node
	with := func(parts []*Node) {
		if len(parts) >= n.min && len(parts) < len(n.parts) && len(parts) > 0 {
			m := *n
			m.parts = parts
			out = append(out, &m)
		}
	}
	if len(n.parts) > 3 {
		with(n.parts[:len(n.parts)/2])
		with(n.parts[len(n.parts)/2:])
	}
	for i := range n.parts {
		with(append(append([]*Node(nil), n.parts[:i]...), n.parts[i+1:]...))
	}
	return out
}

// inside lists the parts of n, at any depth, that satisfy ok; those that lie in one of them come after it.
func inside(n *Node, ok func(*Node) bool) []*Node {
	var out []*Node
	for _, p := range n.parts {
		p.walk(func(k *Node) {
			if ok(k) {
				out = append(out, k)
			}
		})
	}
	return out
}
