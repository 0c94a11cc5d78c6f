package config

import (
	"fmt"
	"strconv"
	"strings"
)

// A Group is a resource group of queries: NAME, or NAME:weight=2,running=8,queued=100,users=ann+bob with any of the parts.
type Group struct {
	Name string
	// Weight is its share of the places; Running and Queued bound its queries. 0 is the default.
	Weight, Running, Queued int
	// Users may choose it; empty = everybody.
	Users []string
}

// Groups are the values of a flag that may be given several times.
type Groups []Group

const groupForm = "NAME:weight=2,running=8,queued=100,users=ann+bob, any of the parts"

// Set implements pflag.Value: it adds one.
func (g *Groups) Set(text string) error {
	name, rest, _ := strings.Cut(text, ":")
	one := Group{Name: name}
	if name == "" {
		return fmt.Errorf("%q has no name; write %s", text, groupForm)
	}
	for _, other := range *g {
		if other.Name == name {
			return fmt.Errorf("group %q is given twice", name)
		}
	}
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == ',' }) {
		key, value, _ := strings.Cut(part, "=")
		number := map[string]*int{"weight": &one.Weight, "running": &one.Running, "queued": &one.Queued}[key]
		if number == nil {
			if key != "users" || value == "" {
				return fmt.Errorf("%q in %q is not known; write %s", part, text, groupForm)
			}
			one.Users = strings.Split(value, "+")
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 1_000_000 {
			return fmt.Errorf("%q in %q: allowed are whole numbers from 1 to 1000000", part, text)
		}
		*number = n
	}
	*g = append(*g, one)
	return nil
}

// String implements pflag.Value.
func (g *Groups) String() string {
	var names []string
	for _, one := range *g {
		names = append(names, one.Name)
	}
	return strings.Join(names, " ")
}

// Type implements pflag.Value.
func (g *Groups) Type() string { return "GROUP" }
