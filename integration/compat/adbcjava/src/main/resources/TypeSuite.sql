CREATE TABLE adbc_alltypes AS
SELECT * FROM (VALUES
  (42::BIGINT, 'abcd'::BLOB, true, DATE '2000-01-01', 42::INTEGER, 42::SMALLINT, 'foo', TIME '04:05:06.123456',
   TIMESTAMP '2000-01-02 03:04:05.123', TIMESTAMPTZ '2000-01-02 03:04:05.123+06'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t(bigint_t, blob_t, boolean_t, date_t, int_t, smallint_t, text_t, time_without_time_zone_t,
       timestamp_without_time_zone_t, timestamp_with_time_zone_t)
