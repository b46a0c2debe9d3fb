-- Record a migration that was applied (or, adopted, that a person applied by hand).
-- params:  $1 version int4, $2 name text, $3 sha256 text, $4 duration_ms int8, $5 adopted bool
-- columns: none
INSERT INTO public.chatgate_migrations (version, name, sha256, duration_ms, adopted)
VALUES ($1::int4, $2::text, $3::text, $4::int8, $5::bool)
