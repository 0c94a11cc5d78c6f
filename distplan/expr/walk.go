package expr

// Walk calls visit for e and everything below it, parents first, until visit returns false; it reports whether it came to
// the end. A nil e is nothing.
func Walk(e Expr, visit func(Expr) bool) bool {
	if e == nil {
		return true
	}
	if !visit(e) {
		return false
	}
	for _, c := range e.Children() {
		if !Walk(c, visit) {
			return false
		}
	}
	return true
}

// MapRefs returns a copy of e with every Ref replaced by what replace returns for it. A nil e stays nil.
func MapRefs(e Expr, replace func(*Ref) Expr) Expr {
	if e == nil {
		return nil
	}
	if r, ok := e.(*Ref); ok {
		return replace(r)
	}
	old := e.Children()
	if len(old) == 0 {
		return e
	}
	children := make([]Expr, len(old))
	for i, c := range old {
		children[i] = MapRefs(c, replace)
	}
	return e.WithChildren(children)
}

// Refs lists the distinct column positions that e reads, in order of appearance.
func Refs(e Expr) []int {
	var all []int
	seen := map[int]bool{}
	Walk(e, func(e Expr) bool {
		if r, ok := e.(*Ref); ok && !seen[r.Index] {
			seen[r.Index] = true
			all = append(all, r.Index)
		}
		return true
	})
	return all
}

// HasVolatile reports whether e or anything below gives another value for every call.
func HasVolatile(e Expr) bool {
	return !Walk(e, func(e Expr) bool {
		c, ok := e.(*Call)
		return !ok || !c.Volatile
	})
}
