package flightserver

import wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

// The words of SQL that clients show or complete; from duckdb_keywords() and duckdb_functions() of the engine, grouped by hand.

// keywords are those that cannot stand as a name without quotes (reserved, or reserved but for types and functions), without
// those that every SQL has.
const keywords = `analyse analyze anti asof asymmetric authorization binary collation concurrently deferrable
	describe freeze glob ilike initially isnull lambda limit notnull offset pivot pivot_longer pivot_wider placing
	positional qualify returning semi show similar summarize symmetric tablesample unpack unpivot variadic verbose
	window`

const numericFunctions = `abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees even exp
	factorial fdiv floor fmod gamma gcd greatest_common_divisor isfinite isinf isnan lcm least_common_multiple lgamma ln log
	log10 log2 mod nextafter pi pow power radians random round round_even setseed sign signbit sin sinh sqrt tan tanh trunc xor`

const stringFunctions = `array_extract ascii bar base64 bin bit_length char_length character_length chr concat concat_ws contains
	damerau_levenshtein editdist3 ends_with format formatReadableDecimalSize formatReadableSize from_base64 greatest hamming hash
	hex instr jaccard jaro_similarity jaro_winkler_similarity lcase least left left_grapheme length length_grapheme levenshtein
	lower lpad ltrim md5 mismatches nfc_normalize octet_length ord parse_dirname parse_filename parse_path position prefix printf
	regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat
	replace reverse right right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
	string_split string_split_regex string_to_array strip_accents strlen strpos substr substring substring_grapheme suffix
	to_base to_base64 translate trim ucase unbin unhex unicode upper url_decode url_encode`

const dateTimeFunctions = `age century current_date current_time current_timestamp date_add date_diff date_part date_sub date_trunc
	datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era
	extract get_current_time get_current_timestamp hour isodow isoyear julian last_day localtime localtimestamp make_date
	make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname nanosecond now quarter
	second strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours
	to_microseconds to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today
	transaction_timestamp try_strptime week weekday weekofyear year yearweek`

const systemFunctions = `coalesce current_catalog current_database current_schema current_schemas current_user ifnull nullif
	pg_typeof session_user typeof user version`

// supportedConversions are the casts between the types that ODBC names, as CAST does them.
func supportedConversions() conversions {
	const (
		bigint, binary, bit, char     = wire.SqlSupportsConvert_SQL_CONVERT_BIGINT, wire.SqlSupportsConvert_SQL_CONVERT_BINARY, wire.SqlSupportsConvert_SQL_CONVERT_BIT, wire.SqlSupportsConvert_SQL_CONVERT_CHAR
		date, decimal, float, integer = wire.SqlSupportsConvert_SQL_CONVERT_DATE, wire.SqlSupportsConvert_SQL_CONVERT_DECIMAL, wire.SqlSupportsConvert_SQL_CONVERT_FLOAT, wire.SqlSupportsConvert_SQL_CONVERT_INTEGER
		dayTime, yearMonth            = wire.SqlSupportsConvert_SQL_CONVERT_INTERVAL_DAY_TIME, wire.SqlSupportsConvert_SQL_CONVERT_INTERVAL_YEAR_MONTH
		longVarbinary, longVarchar    = wire.SqlSupportsConvert_SQL_CONVERT_LONGVARBINARY, wire.SqlSupportsConvert_SQL_CONVERT_LONGVARCHAR
		numeric, real, smallint       = wire.SqlSupportsConvert_SQL_CONVERT_NUMERIC, wire.SqlSupportsConvert_SQL_CONVERT_REAL, wire.SqlSupportsConvert_SQL_CONVERT_SMALLINT
		time, timestamp, tinyint      = wire.SqlSupportsConvert_SQL_CONVERT_TIME, wire.SqlSupportsConvert_SQL_CONVERT_TIMESTAMP, wire.SqlSupportsConvert_SQL_CONVERT_TINYINT
		varbinary, varchar            = wire.SqlSupportsConvert_SQL_CONVERT_VARBINARY, wire.SqlSupportsConvert_SQL_CONVERT_VARCHAR
	)
	type kinds = []wire.SqlSupportsConvert
	texts := kinds{char, longVarchar, varchar}
	bytes := kinds{binary, longVarbinary, varbinary}
	numbers := kinds{bigint, bit, decimal, float, integer, numeric, real, smallint, tinyint}
	intervals := kinds{dayTime, yearMonth}
	join := func(parts ...kinds) []int32 {
		set := map[wire.SqlSupportsConvert]bool{}
		for _, part := range parts {
			for _, k := range part {
				set[k] = true
			}
		}
		var out []int32
		for k := range wire.SqlSupportsConvert(len(wire.SqlSupportsConvert_name)) {
			if set[k] {
				out = append(out, int32(k))
			}
		}
		return out
	}
	all := join(texts, bytes, numbers, intervals, kinds{date, time, timestamp})
	targets := map[wire.SqlSupportsConvert][]int32{
		date:      join(texts, kinds{date, timestamp}),
		time:      join(texts, kinds{time}),
		timestamp: join(texts, kinds{date, time, timestamp}),
	}
	for _, k := range texts {
		targets[k] = all
	}
	for _, k := range bytes {
		targets[k] = join(texts, bytes)
	}
	for _, k := range numbers {
		targets[k] = join(texts, numbers)
	}
	for _, k := range intervals {
		targets[k] = join(texts, intervals)
	}
	var c conversions
	for k := range wire.SqlSupportsConvert(len(wire.SqlSupportsConvert_name)) {
		c = append(c, conversion{from: int32(k), to: targets[k]})
	}
	return c
}
