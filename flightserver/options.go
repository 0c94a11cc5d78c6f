package flightserver

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/rs/zerolog"

	"github.com/arbalest-sql/arbalest/catalog"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// setOptions sets those options that are right, and tells for each other one what kind of fault it has; the protocol leaves no
// room for the reason, which goes to the log.
func (s *Server) setOptions(ctx context.Context, m *wire.SetSessionOptionsRequest) (*wire.SetSessionOptionsResult, error) {
	c := callerOf(ctx)
	result := &wire.SetSessionOptionsResult{}
	names := make([]string, 0, len(m.GetSessionOptions()))
	for name := range m.GetSessionOptions() {
		names = append(names, name)
	}
	// In the order of names, catalog before schema, so that what is set does not depend on the map's order.
	sort.Strings(names)
	for _, name := range names {
		value, unset, err := optionValue(m.GetSessionOptions()[name])
		if err == nil {
			err = s.setOption(ctx, c, name, value, unset)
		}
		if err == nil {
			continue
		}
		if qerr.Is(err, qerr.Cancelled) || qerr.Is(err, qerr.Deadline) {
			return nil, err
		}
		fault := wire.SetSessionOptionsResult_INVALID_VALUE
		if _, known := settings.Known(name); !known {
			fault = wire.SetSessionOptionsResult_INVALID_NAME
		} else if !qerr.Is(err, qerr.User) && !qerr.Is(err, qerr.NotFound) {
			fault = wire.SetSessionOptionsResult_ERROR
		}
		s.cfg.Log.WithLevel(zerolog.InfoLevel).Err(err).Str("session", c.session).Msg("refused a session option")
		if result.Errors == nil {
			result.Errors = map[string]*wire.SetSessionOptionsResult_Error{}
		}
		result.Errors[name] = &wire.SetSessionOptionsResult_Error{Value: fault}
	}
	return result, nil
}

// optionValue takes a value out of its message; one without a value gives the option back its default.
func optionValue(v *wire.SessionOptionValue) (value any, unset bool, err error) {
	switch x := v.GetOptionValue().(type) {
	case nil:
		return nil, true, nil
	case *wire.SessionOptionValue_StringValue:
		return x.StringValue, false, nil
	case *wire.SessionOptionValue_BoolValue:
		return x.BoolValue, false, nil
	case *wire.SessionOptionValue_Int64Value:
		return x.Int64Value, false, nil
	case *wire.SessionOptionValue_DoubleValue:
		return x.DoubleValue, false, nil
	}
	return nil, false, qerr.New(qerr.User, "no option takes a list")
}

func (s *Server) setOption(ctx context.Context, c caller, name string, value any, unset bool) error {
	change := func(v settings.Values) (settings.Values, error) {
		if unset {
			return v.Reset(name)
		}
		return v.Set(name, value)
	}
	before := s.sessions.settings(c)
	after, err := change(before)
	if err != nil {
		return err
	}
	if err := s.checkNames(ctx, before, after); err != nil {
		return err
	}
	return s.sessions.set(ctx, c, change)
}

// checkNames refuses a current catalog or db schema that does not exist. A new catalog is taken even if the present db schema is
// not in it, so that the two can be set one after the other.
func (s *Server) checkNames(ctx context.Context, before, after settings.Values) error {
	newCatalog, newSchema := before.Catalog() != after.Catalog(), before.Schema() != after.Schema()
	if !newCatalog && !newSchema {
		return nil
	}
	snapshot, err := s.cfg.Catalog.Snapshot(ctx)
	if err != nil {
		return err
	}
	if all := catalogs(snapshot); !containsName(all, after.Catalog()) {
		return qerr.New(qerr.NotFound, "there is no catalog %q; there is: %s", after.Catalog(), strings.Join(all, ", "))
	}
	if all := dbSchemas(snapshot, after.Catalog()); newSchema && !containsName(all, after.Schema()) {
		return qerr.New(qerr.NotFound, "there is no db schema %q in catalog %q; there is: %s", after.Schema(), after.Catalog(), strings.Join(all, ", "))
	}
	return nil
}

// getOptions tells all options in their own types.
func (s *Server) getOptions(c caller) (*wire.GetSessionOptionsResult, error) {
	values := s.sessions.settings(c)
	result := &wire.GetSessionOptionsResult{SessionOptions: map[string]*wire.SessionOptionValue{}}
	for _, name := range settings.Names() {
		v, err := flight.NewSessionOptionValue(values.Typed(name))
		if err != nil {
			return nil, qerr.Wrap(qerr.Internal, "tell option "+name, err)
		}
		result.SessionOptions[name] = &v
	}
	return result, nil
}

// catalogs are the catalogs that clients see; the default one is there even when nothing is in it.
func catalogs(s *catalog.Snapshot) []string {
	return withName(s.Catalogs(), settings.DefaultCatalog)
}

// dbSchemas are the db schemas of a catalog that clients see.
func dbSchemas(s *catalog.Snapshot, name string) []string {
	all := s.Schemas(name)
	if strings.EqualFold(name, settings.DefaultCatalog) {
		all = withName(withName(all, settings.DefaultSchema), systemSchema)
	}
	return all
}

// containsName compares names as SQL does, without regard to case.
func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// withName returns the names, sorted, with one more unless it is there.
func withName(names []string, name string) []string {
	names = slices.Clone(names)
	if !slices.Contains(names, name) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
