package frontend

import (
	"strings"
)

// nobody is the user of a session without login.
const nobody = "anonymous"

// userNames are the names that mean the session's user, whom the planning database does not know.
var userNames = map[string]bool{"current_user": true, "session_user": true, "user": true, "current_role": true}

// replaceSession writes the user's name and the values of session options where the statement asks for them: the planning
// database knows neither. It reports whether it changed something.
func replaceSession(s *syntax, r *Request) bool {
	user := r.User
	if user == "" {
		user = nobody
	}
	changed := false
	s.walk(func(n node, _ *ctes) bool {
		name := asked(n)
		option, _ := settingAsked(n)
		switch {
		case userNames[name]:
			replace(n, textConstant(n, name, user))
		case option != "":
			replace(n, textConstant(n, "current_setting('"+option+"')", r.Settings.Get(option)))
		default:
			return true
		}
		changed = true
		return false
	})
	return changed
}

// asked is the name of a call without arguments, or of a bare name, in lower case. A bare "user" is left alone: it is too
// common a name of a column.
func asked(n node) string {
	switch text(n, "class") {
	case "FUNCTION":
		if args, _ := n["children"].([]any); len(args) == 0 && text(n, "schema") == "" {
			return strings.ToLower(text(n, "function_name"))
		}
	case "COLUMN_REF":
		if parts, _ := n["column_names"].([]any); len(parts) == 1 {
			if name, _ := parts[0].(string); !strings.EqualFold(name, "user") {
				return strings.ToLower(name)
			}
		}
	}
	return ""
}

// textConstant stands for n, and is named as n was.
func textConstant(n node, name, value string) node {
	alias := text(n, "alias")
	if alias == "" {
		alias = name
	}
	return node{"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": alias, "query_location": unknownPosition,
		"value": node{"type": node{"id": "VARCHAR", "type_info": nil}, "is_null": false, "value": value}}
}
