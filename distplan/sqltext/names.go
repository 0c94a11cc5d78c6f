package sqltext

import (
	"strconv"
	"strings"
	"sync"

	"github.com/arbalest-sql/arbalest/internal/invariants"
)

// The functions that may be printed, as name/numbers of arguments; "+" = that many or more. They are DuckDB 1.5's scalar
// functions without those that: take lambdas or bind data that a call cannot show; read the session, the catalog or
// the transaction (DuckDB folds these while planning; one that is left would answer for a worker); name their arguments
// (package code prints those); or are DuckDB's own plumbing.
const scalarList = `
	!__postfix/1 !~~/2 !~~*/2 %/2 &/2 &&/2 */2 **/2 +/0,1,2+ -/1,2 ->>/2 //2 ///2 <->/2 <</2 <=>/2 <@/2 >>/2 @/1 @>/2 ^/2
	^@/2 abs/1 acos/1 acosh/1 add/0,1,2+ age/2 array_cat/0+ array_concat/0+ array_contains/2 array_cosine_distance/2
	array_cosine_similarity/2 array_cross_product/2 array_distance/2 array_distinct/1 array_dot_product/2 array_extract/2
	array_grade_up/1,2,3 array_has/2 array_has_all/2 array_has_any/2 array_indexof/2 array_inner_product/2
	array_intersect/2 array_length/1,2 array_negative_dot_product/2 array_negative_inner_product/2 array_position/2
	array_resize/2,3 array_reverse_sort/1,2 array_select/2 array_slice/3,4 array_sort/1,2,3 array_to_json/0+
	array_unique/1 array_value/0+ array_where/2 array_zip/0+ ascii/1 asin/1 asinh/1 atan/1 atan2/2 atanh/1 bar/3,4
	base64/1 bin/1 bit_count/1 bit_length/1 bit_position/2 bitstring/2 cardinality/1+ cbrt/1 ceil/1 ceiling/1 century/1
	char_length/1 character_length/1 chr/1 concat/1+ concat_ws/2+ constant_or_null/2+ contains/2 cos/1 cosh/1 cot/1
	create_sort_key/1+ damerau_levenshtein/2 date_diff/3 date_part/2 date_sub/3 date_trunc/2 datediff/3 datepart/2
	datesub/3 datetrunc/2 day/1 dayname/1 dayofmonth/1 dayofweek/1 dayofyear/1 decade/1 decode/1,2 degrees/1 divide/2
	editdist3/2 element_at/2 encode/1 ends_with/2 enum_code/1 enum_first/1 enum_last/1 enum_range/1 enum_range_boundary/2
	epoch/1 epoch_ms/1 epoch_ns/1 epoch_us/1 equi_width_bins/4 era/1 error/1 even/1 exp/1 factorial/1 flatten/1 floor/1
	format/1+ formatReadableDecimalSize/1 formatReadableSize/1 format_bytes/1 from_base64/1 from_binary/1 from_hex/1
	from_json/2 from_json_strict/2 gamma/1 gcd/2 gen_random_uuid/0 generate_series/1,2,3 get_bit/2 grade_up/1,2,3
	greatest/1+ greatest_common_divisor/2 hamming/2 hash/1+ hex/1 hour/1 icu_sort_key/2 ilike_escape/3 instr/2
	is_histogram_other_bin/1 isfinite/1 isinf/1 isnan/1 isodow/1 isoyear/1 jaccard/2 jaro_similarity/2,3
	jaro_winkler_similarity/2,3 json_array/0+ json_array_length/1,2 json_contains/2 json_exists/2 json_extract/2
	json_extract_path/2 json_extract_path_text/2 json_extract_string/2 json_keys/1,2 json_merge_patch/2+ json_object/0+
	json_pretty/1 json_quote/0+ json_structure/1 json_transform/2 json_transform_strict/2 json_type/1,2 json_valid/1
	json_value/2 julian/1 last_day/1 lcase/1 lcm/2 least/1+ least_common_multiple/2 left/2 left_grapheme/2 len/1 length/1
	length_grapheme/1 levenshtein/2 lgamma/1 like_escape/3 list_cat/0+ list_concat/0+ list_contains/2
	list_cosine_distance/2 list_cosine_similarity/2 list_distance/2 list_distinct/1 list_dot_product/2 list_element/2
	list_extract/2 list_grade_up/1,2,3 list_has/2 list_has_all/2 list_has_any/2 list_indexof/2 list_inner_product/2
	list_intersect/2 list_negative_dot_product/2 list_negative_inner_product/2 list_pack/0,1+ list_position/2
	list_resize/2,3 list_reverse_sort/1,2 list_select/2 list_slice/3,4 list_sort/1,2,3 list_unique/1 list_value/0,1+
	list_where/2 list_zip/0+ ln/1 log/1,2 log10/1 log2/1 lower/1 lpad/3 ltrim/1,2 make_date/1,3 make_time/3
	make_timestamp/1,6 make_timestamp_ms/1 make_timestamp_ns/1 make_timestamptz/1,6,7 map/0,2 map_concat/0+
	map_contains/2 map_entries/1 map_extract/2 map_extract_value/2 map_from_entries/1 map_keys/1 map_values/1 md5/1
	md5_number/1 microsecond/1 millennium/1 millisecond/1 minute/1 mismatches/2 mod/2 month/1 monthname/1 multiply/2
	nanosecond/1 nextafter/2 nfc_normalize/1 normalized_interval/1 not_ilike_escape/3 not_like_escape/3 octet_length/1
	ord/1 parse_dirname/1,2 parse_dirpath/1,2 parse_filename/1,2,3 parse_formatted_bytes/1 parse_path/1,2 pi/0 position/2
	pow/2 power/2 prefix/2 printf/1+ quarter/1 radians/1 random/0 range/1,2,3 regexp_escape/1 regexp_extract/2,3,4
	regexp_extract_all/2,3,4 regexp_full_match/2,3 regexp_matches/2,3 regexp_replace/3,4 regexp_split_to_array/2,3
	repeat/2 replace/3 reverse/1 right/2 right_grapheme/2 round/1,2 row/0+ row_to_json/0+ rpad/3 rtrim/1,2 second/1
	set_bit/3 sha1/1 sha256/1 sign/1 signbit/1 sin/1 sinh/1 sleep_ms/1 split/2 sqrt/1 starts_with/2 str_split/2
	str_split_regex/2,3 strftime/2 string_split/2 string_split_regex/2,3 string_to_array/2 strip_accents/1 strlen/1
	strpos/2 strptime/2 struct_concat/0+ struct_contains/2 struct_extract/2 struct_extract_at/2 struct_has/2
	struct_indexof/2 struct_keys/1 struct_position/2 struct_values/1 substr/2,3 substring/2,3 substring_grapheme/2,3
	subtract/1,2 suffix/2 tan/1 tanh/1 time_bucket/2,3 timezone/1,2 timezone_hour/1 timezone_minute/1 to_base/2,3
	to_base64/1 to_binary/1 to_centuries/1 to_days/1 to_decades/1 to_hex/1 to_hours/1 to_json/0+ to_microseconds/1
	to_millennia/1 to_milliseconds/1 to_minutes/1 to_months/1 to_quarters/1 to_seconds/1 to_timestamp/1 to_weeks/1
	to_years/1 translate/3 trim/1,2 trunc/1,2 try_strptime/2 typeof/1 ucase/1 unbin/1 unhex/1 unicode/1 union_extract/2
	union_tag/1 upper/1 url_decode/1 url_encode/1 uuid/0 uuid_extract_timestamp/1 uuid_extract_version/1 uuidv4/0
	uuidv7/0 week/1 weekday/1 weekofyear/1 xor/2 year/1 yearweek/1 |/2 ||/2 ~/1 ~~/2 ~~*/2 ~~~/2
`

// The aggregates likewise. Those whose constant arguments DuckDB's binder erases (string_agg's separator, quantiles) demand
// them here: the reader of the plan must have put them back.
const aggregateList = `
	any_value/1 approx_count_distinct/1 approx_quantile/2 approx_top_k/2 arbitrary/1 arg_max/2,3 arg_max_null/2
	arg_max_nulls_last/2,3 arg_min/2,3 arg_min_null/2 arg_min_nulls_last/2,3 argmax/2,3 argmin/2,3 array_agg/1 avg/1
	bit_and/1 bit_or/1 bit_xor/1 bitstring_agg/3 bool_and/1 bool_or/1 corr/2 count/1 count_if/1 countif/1 covar_pop/2
	covar_samp/2 entropy/1 favg/1 first/1 fsum/1 group_concat/2 histogram/1,2 histogram_exact/2 kahan_sum/1 kurtosis/1
	kurtosis_pop/1 last/1 list/1 listagg/2 mad/1 max/1,2 max_by/2,3 mean/1 median/1 min/1,2 min_by/2,3 mode/1 product/1
	quantile/2 quantile_cont/2 quantile_disc/2 regr_avgx/2 regr_avgy/2 regr_count/2 regr_intercept/2 regr_r2/2
	regr_slope/2 regr_sxx/2 regr_sxy/2 regr_syy/2 reservoir_quantile/2,3 sem/1 skewness/1 stddev/1 stddev_pop/1
	stddev_samp/1 string_agg/2 sum/1 sumkahan/1 var_pop/1 var_samp/1 variance/1
`

// An arity is the set of numbers of arguments that a function takes.
type arity struct {
	counts []int
	more   bool // also more than the last count
}

func (a arity) takes(n int) bool {
	for _, c := range a.counts {
		if c == n {
			return true
		}
	}
	return a.more && n > a.counts[len(a.counts)-1]
}

var (
	scalars    = sync.OnceValue(func() map[string]arity { return parseArities(scalarList) })
	aggregates = sync.OnceValue(func() map[string]arity { return parseArities(aggregateList) })
)

// parseArities reads the lists above; the last slash separates, since names may hold slashes themselves.
func parseArities(list string) map[string]arity {
	all := map[string]arity{}
	for _, entry := range strings.Fields(list) {
		slash := strings.LastIndexByte(entry, '/')
		counts, more := strings.CutSuffix(entry[slash+1:], "+")
		a := arity{more: more}
		for _, digits := range strings.Split(counts, ",") {
			n, err := strconv.Atoi(digits)
			invariants.Check(err == nil, "sqltext: function list entry %s", entry)
			a.counts = append(a.counts, n)
		}
		all[entry[:slash]] = a
	}
	return all
}
