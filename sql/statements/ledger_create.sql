-- The migrations' ledger, made before the first of them.
-- params:  none
-- columns: none
CREATE TABLE IF NOT EXISTS public.chatgate_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration_ms bigint NOT NULL,
    adopted boolean NOT NULL DEFAULT false
)
