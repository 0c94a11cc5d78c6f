package minidb

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A Fault is an error of DuckDB with its structure.
type Fault struct {
	// Type is DuckDB's name of it in lower case ("binder", "parser", "catalog", "permission", "internal", …).
	Type string
	// Subtype refines it ("MISSING_ENTRY", "COLUMN_NOT_FOUND", "SYNTAX_ERROR"); often empty.
	Subtype string
	Message string
	// Entry and EntryType name what is missing, with MISSING_ENTRY.
	Entry, EntryType string
	// Position counts bytes from 1; 0 = unknown.
	Position int
}

// Error implements error, as DuckDB words it.
func (f *Fault) Error() string {
	if f.Type == "" {
		return f.Message
	}
	return strings.ToUpper(f.Type[:1]) + f.Type[1:] + " Error: " + f.Message
}

type faultJSON struct {
	ExceptionType string `json:"exception_type"`
	ExceptionMsg  string `json:"exception_message"`
	ErrorType     string `json:"error_type"`
	ErrorMsg      string `json:"error_message"`
	Subtype       string `json:"error_subtype"`
	Position      string `json:"position"`
	Name          string `json:"name"`
	EntryType     string `json:"type"`
}

func (j faultJSON) fault() *Fault {
	f := &Fault{Type: strings.ToLower(j.ExceptionType + j.ErrorType), Subtype: j.Subtype, Message: j.ExceptionMsg + j.ErrorMsg,
		Entry: j.Name, EntryType: j.EntryType}
	if p, err := strconv.Atoi(j.Position); err == nil && p >= 0 {
		f.Position = p + 1
	}
	return f
}

// ParseError reads an error's text, which is JSON behind a prefix under errors_as_json.
func ParseError(text string) error {
	if i := strings.IndexByte(text, '{'); i >= 0 {
		var j faultJSON
		if json.Unmarshal([]byte(text[i:]), &j) == nil && (j.ExceptionType != "" || j.ErrorType != "") {
			return j.fault()
		}
	}
	kind, msg, ok := strings.Cut(text, " Error: ")
	if !ok {
		return &Fault{Message: text}
	}
	return &Fault{Type: strings.ToLower(kind), Message: msg}
}

// ParseAnswer reads the fault that json_serialize_sql and json_serialize_plan put into their answer.
func ParseAnswer(answer string) *Fault {
	var j faultJSON
	if err := json.Unmarshal([]byte(answer), &j); err != nil {
		return &Fault{Type: "internal", Message: "the planner's error could not be read: " + err.Error()}
	}
	return j.fault()
}
