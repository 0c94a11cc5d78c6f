package expr

import "reflect"

// Same reports whether two expressions are the same tree: the same value for the same row, unless they are volatile.
func Same(a, b Expr) bool { return reflect.DeepEqual(a, b) }
