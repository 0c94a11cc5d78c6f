package dirdriver

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// hiveNull is how Hive, Spark and DuckDB write a NULL key.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// A hiveKey is one k=v directory. raw is as written: types are told from it, and the value is decoded from it.
type hiveKey struct{ name, raw string }

// parseKey reads a directory's name; ok is false for one that is no k=v.
func parseKey(name string) (hiveKey, bool) {
	k, v, found := strings.Cut(name, "=")
	return hiveKey{k, v}, found && k != ""
}

// null reports whether the value is NULL, in the spellings that DuckDB takes for it.
func (k hiveKey) null() bool { return k.raw == hiveNull || strings.EqualFold(k.raw, "NULL") }

// value is the decoded text; nil is NULL.
func (k hiveKey) value() *string {
	if k.null() {
		return nil
	}
	text := unescape(k.raw)
	return &text
}

// unescape decodes %XX as DuckDB does: what is no such sequence stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

var (
	bigintKey = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,18})$`)
	dateKey   = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$`)
	timeKey   = regexp.MustCompile(`^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?$`)
)

// keyType is DuckDB's detection for one value: DATE, TIMESTAMP, BIGINT (without leading zeros), else VARCHAR. DuckDB also
// takes rare spellings (0x1F, epoch, 2020-01-01 (BC)) that stay VARCHAR here.
func keyType(raw string) table.TypeID {
	switch {
	case bigintKey.MatchString(raw):
		if _, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return table.BigInt
		}
	case dateKey.MatchString(raw):
		if _, err := time.Parse("2006-1-2", raw); err == nil {
			return table.Date
		}
	case timeKey.MatchString(raw):
		m := timeKey.FindStringSubmatch(raw)
		if _, err := time.Parse("2006-1-2 15:04:05", m[1]+" "+m[2]); err == nil {
			return table.Timestamp
		}
	}
	return table.Varchar
}

// keyTypeOf is the type of one key over all files: that of its values when they agree, NULLs apart, else VARCHAR.
func keyTypeOf(values []hiveKey) table.Type {
	var found table.TypeID
	for _, v := range values {
		if v.null() {
			continue
		}
		switch id := keyType(v.raw); {
		case found == "":
			found = id
		case found != id:
			return table.Of(table.Varchar)
		}
	}
	if found == "" {
		found = table.Varchar
	}
	return table.Of(found)
}
