-- The database's clock, for windows that begin "now".
-- params:  none
-- columns: now_us int8
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now_us
