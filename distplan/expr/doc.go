// Package expr holds the typed scalar, aggregate and window expressions of an operator tree, and prints them as SQL.
//
// Expressions are values: nobody changes one after it is made, rewriting makes new ones. A column is named by its position
// in the output of the operator below (Ref), never by name. Every expression knows its type, because fragments are bound
// again on workers and each width must come out as it was planned.
package expr
