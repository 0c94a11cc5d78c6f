package flightserver

import (
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/arbalest-sql/arbalest/internal/settings"
)

// optionHeaderPrefix begins the headers that are named like options.
const optionHeaderPrefix = "arbalest."

// optionsOf are the options that a call's headers ask for; nil when none does. They are those of a session that holds nothing: clients
// that send headers send them with each call (ADBC's call headers, the properties of a JDBC URL), and a session that was given options
// since then has them. Of several values of one header the last one counts, as it is the one of the statement.
func optionsOf(md metadata.MD) (*settings.Values, error) {
	var names []string
	for name := range md {
		if strings.HasPrefix(name, optionHeaderPrefix) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	slices.Sort(names) // so that it is always the same fault that is told
	values := settings.Defaults()
	for _, name := range names {
		given := md.Get(name)
		var err error
		if values, err = values.Set(name, given[len(given)-1]); err != nil {
			return nil, err
		}
	}
	return &values, nil
}
