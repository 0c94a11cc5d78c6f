package planjson

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
)

func castTo(sql string, t table.Type) string { return "CAST(" + sql + " AS " + t.SQL() + ")" }

// constant reads a constant into its SQL literal.
func constant(v *rawValue) (expr.Expr, error) {
	if v == nil {
		return nil, unread("a constant is missing")
	}
	t, err := typeOf(&v.Type)
	if err != nil {
		return nil, err
	}
	if t.Alias != "" && t.Alias != "JSON" {
		return nil, unread("a constant of type %s", t.Alias)
	}
	if v.IsNull {
		sql := "NULL"
		if t.ID != table.Null {
			if !nameable(t) {
				return nil, unread("a NULL of a type with unnamed members")
			}
			sql = castTo("NULL", t)
		}
		return &expr.Const{SQL: sql, Null: true, Result: t}, nil
	}
	sql, err := literal(v, t)
	if err != nil {
		return nil, err
	}
	return &expr.Const{SQL: sql, Result: t}, nil
}

// nameable reports whether SQL can name the type: members of structs made by row() have no names.
func nameable(t table.Type) bool {
	for _, f := range t.Fields {
		if (f.Name == "" && (t.ID == table.Struct || t.ID == table.Union)) || !nameable(f.Type) {
			return false
		}
	}
	return true
}

func literal(v *rawValue, t table.Type) (string, error) {
	switch t.ID {
	case table.Boolean:
		if s := string(v.Value); s == "true" || s == "false" {
			return s, nil
		}
	case table.TinyInt, table.SmallInt, table.Integer, table.BigInt, table.UTinyInt, table.USmallInt, table.UInteger, table.UBigInt:
		if n, ok := new(big.Int).SetString(string(v.Value), 10); ok {
			return castTo(n.String(), t), nil
		}
	case table.HugeInt, table.UHugeInt:
		if n, ok := wide(v.Value); ok {
			return castTo("'"+n.String()+"'", t), nil
		}
	case table.Decimal:
		if n, ok := wide(v.Value); ok {
			return castTo("'"+scaled(n, int(t.Scale))+"'", t), nil
		}
	case table.Float:
		return floatLiteral(v.Value, t, 32)
	case table.Double:
		return floatLiteral(v.Value, t, 64)
	case table.Varchar:
		var s string
		if json.Unmarshal(v.Value, &s) == nil {
			sql, err := text(s)
			if err != nil || t.Alias == "" {
				return sql, err
			}
			return castTo(sql, t), nil
		}
	case table.Blob:
		var s string
		if json.Unmarshal(v.Value, &s) == nil && utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
			return castTo(table.Literal(s), t), nil
		}
	case table.UUID:
		if n, ok := wide(v.Value); ok {
			return castTo("'"+uuidText(n)+"'", t), nil
		}
	case table.Enum:
		if i, err := strconv.Atoi(string(v.Value)); err == nil && i >= 0 && i < len(t.Labels) {
			return castTo(table.Literal(t.Labels[i]), t), nil
		}
	case table.Date, table.Time, table.TimeNS, table.TimeTZ, table.Timestamp, table.TimestampS, table.TimestampMS,
		table.TimestampNS, table.TimestampTZ, table.Interval:
		return moment(v.Value, t)
	case table.List, table.Array, table.Struct, table.Map, table.Union:
		return nested(v, t)
	}
	return "", unread("a constant of type %s", t.ID)
}

// text prints a string; zero bytes cannot stand in SQL text and are joined in by chr(0).
func text(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", unread("a text that is not UTF-8")
	}
	if !strings.ContainsRune(s, 0) {
		return table.Literal(s), nil
	}
	parts := strings.Split(s, "\x00")
	for i, p := range parts {
		parts[i] = table.Literal(p)
	}
	return "(" + strings.Join(parts, " || chr(0) || ") + ")", nil
}

// wide reads an integer that is a number, or upper and lower halves of 64 bits.
func wide(m json.RawMessage) (*big.Int, bool) {
	if n, ok := new(big.Int).SetString(string(bytes.TrimSpace(m)), 10); ok {
		return n, true
	}
	var halves struct {
		Upper json.Number `json:"upper"`
		Lower json.Number `json:"lower"`
	}
	if json.Unmarshal(m, &halves) != nil {
		return nil, false
	}
	n, ok := new(big.Int).SetString(halves.Upper.String(), 10)
	low, ok2 := new(big.Int).SetString(halves.Lower.String(), 10)
	if !ok || !ok2 {
		return nil, false
	}
	return n.Lsh(n, 64).Add(n, low), true
}

// scaled prints n / 10^scale.
func scaled(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// uuidText prints a UUID from its 128 bits, whose topmost one DuckDB flips so that they sort as signed numbers.
func uuidText(n *big.Int) string {
	two127 := new(big.Int).Lsh(big.NewInt(1), 127)
	hex := new(big.Int).Add(n, two127).Text(16)
	if len(hex) < 32 {
		hex = strings.Repeat("0", 32-len(hex)) + hex
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}

func floatLiteral(m json.RawMessage, t table.Type, bits int) (string, error) {
	s := strings.Trim(string(m), `"`)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return "", unread("the number %q", s)
	}
	return castTo("'"+floatText(f, bits)+"'", t), nil
}

func floatText(f float64, bits int) string {
	s := strconv.FormatFloat(f, 'g', -1, bits)
	switch s {
	case "NaN":
		return "nan"
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	}
	return s
}
