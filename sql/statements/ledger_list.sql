-- What has been applied.
-- params:  none
-- columns: version int4, name text, sha256 text, applied_us int8, duration_ms int8, adopted bool
SELECT version, name, sha256, (extract(epoch FROM applied_at) * 1000000)::int8 AS applied_us,
       duration_ms, adopted
FROM public.chatgate_migrations
ORDER BY version
