-- SPDX-License-Identifier: Apache-2.0
-- The gateway's columns and tables.
--
-- Every new column is NULL or has a constant default, so no table is rewritten. No constraint
-- looks at a message's text: Postgres would print the row that violates it.
SET lock_timeout = '2s';
SET client_min_messages = warning;

-- Microseconds since 1970, the only form in which times cross to the gateway.
CREATE OR REPLACE FUNCTION public.chatgate_us(t timestamp) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN isfinite(t) THEN (extract(epoch FROM t) * 1000000)::bigint
            WHEN t = 'infinity'::timestamp THEN 9223372036854775807
            WHEN t = '-infinity'::timestamp THEN 0 END;

CREATE OR REPLACE FUNCTION public.chatgate_us(t timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN isfinite(t) THEN (extract(epoch FROM t) * 1000000)::bigint
            WHEN t = 'infinity'::timestamptz THEN 9223372036854775807
            WHEN t = '-infinity'::timestamptz THEN 0 END;

-- And back. What no clock shows (before 1970, after 9999) is cut, never an error.
CREATE OR REPLACE FUNCTION public.chatgate_timestamp(us bigint) RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN us < 0 THEN timestamp 'epoch'
            WHEN us > 253402300799000000 THEN timestamp 'infinity'
            ELSE timestamp 'epoch' + us * interval '1 microsecond' END;

CREATE OR REPLACE FUNCTION public.chatgate_timestamptz(us bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN us < 0 THEN timestamptz 'epoch'
            WHEN us > 253402300799000000 THEN timestamptz 'infinity'
            ELSE timestamptz 'epoch' + us * interval '1 microsecond' END;

-- head is the last number handed out in the room, by a message or by a removal. It moves with
-- every message: fillfactor leaves the page room for HOT updates, and no index may hold it.
ALTER TABLE public.chat_rooms
    ADD COLUMN IF NOT EXISTS head bigint NOT NULL DEFAULT 0;
ALTER TABLE public.chat_rooms SET (fillfactor = 70);

ALTER TABLE public.messages
    ADD COLUMN IF NOT EXISTS cid uuid,                -- the client's, for ever unique
    ADD COLUMN IF NOT EXISTS text_hash bytea,         -- keyed; outlives an erased text
    ADD COLUMN IF NOT EXISTS seq bigint,              -- its number since it was delivered
    ADD COLUMN IF NOT EXISTS removed_seq bigint,      -- the number of its removal
    ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1, -- + 1 a transition
    ADD COLUMN IF NOT EXISTS verdict_reason text,     -- a code, told to the sender
    ADD COLUMN IF NOT EXISTS delayed boolean NOT NULL DEFAULT false; -- waited for a person

CREATE TABLE IF NOT EXISTS public.chat_read_marks (
    room_id uuid NOT NULL REFERENCES public.chat_rooms (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    seq bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS public.moderation_rule_sets (
    rule_set bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by uuid,
    node text,
    note text
);

CREATE TABLE IF NOT EXISTS public.moderation_rules (
    rule_set bigint NOT NULL REFERENCES public.moderation_rule_sets (rule_set),
    rule_id text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (rule_set, rule_id)
);

-- What is known of a message beside its status: why, by which rules, who looks at it. The lease
-- is live while claim_until is ahead; claim_token rises with each new holder.
CREATE TABLE IF NOT EXISTS public.moderation_cases (
    message_id uuid PRIMARY KEY REFERENCES public.messages (id) ON DELETE CASCADE,
    room_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text,
    detail jsonb,
    rule_set bigint,
    claimed_by uuid,
    claim_until timestamptz,
    claim_token bigint NOT NULL DEFAULT 0,
    decided_by uuid,
    decided_at timestamptz,
    overturned boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS moderation_cases_room_idx
    ON public.moderation_cases (room_id, opened_at);
CREATE INDEX IF NOT EXISTS moderation_cases_sender_idx ON public.moderation_cases (sender_id);

-- One row a transition, and one for every look, restriction and rule set. No foreign keys: the
-- log outlives what it tells of.
CREATE TABLE IF NOT EXISTS public.moderation_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL, -- screen, decide, undo, remove, foreign, context, restrict, rules
    message_id uuid,
    room_id uuid,
    user_id uuid,         -- whom a restriction is about
    actor_id uuid,        -- NULL: the rules, or another program
    db_user text NOT NULL DEFAULT session_user,
    node text,
    from_status text,
    to_status text,       -- removed, for a removal
    version integer,
    reason text,
    note text,
    rule_set bigint,
    waited_ms bigint      -- from written to decided, by a person
);
CREATE INDEX IF NOT EXISTS moderation_audit_at_idx ON public.moderation_audit (at);
CREATE INDEX IF NOT EXISTS moderation_audit_message_idx ON public.moderation_audit (message_id);

-- No foreign key: a row stays when its user is deleted for good, so that nodes learn of it.
CREATE TABLE IF NOT EXISTS public.user_access (
    user_id uuid PRIMARY KEY,
    valid_after timestamptz,     -- tokens issued before are void
    suspended_until timestamptz,
    reason text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS user_access_changed_at_idx ON public.user_access (changed_at);

CREATE TABLE IF NOT EXISTS public.chatgate_settings (
    name text PRIMARY KEY, -- epoch: raised by an operator after a restore
    value text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE OR REPLACE FUNCTION public.chatgate_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE TRIGGER chatgate_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.moderation_audit
    FOR EACH STATEMENT EXECUTE FUNCTION public.chatgate_refuse_change();
CREATE OR REPLACE TRIGGER chatgate_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.moderation_rule_sets
    FOR EACH STATEMENT EXECUTE FUNCTION public.chatgate_refuse_change();
CREATE OR REPLACE TRIGGER chatgate_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON public.moderation_rules
    FOR EACH STATEMENT EXECUTE FUNCTION public.chatgate_refuse_change();
