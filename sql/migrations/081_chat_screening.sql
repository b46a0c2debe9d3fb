-- SPDX-License-Identifier: Apache-2.0
-- Screening against what the sender said before, and of rows that other programs write.
--
-- A message is screened together with the sender's last ones in the room. Those may come from any
-- device and node, so the write names the last message that the screening saw, and the room knows
-- the last one that was written: where they differ, the row is answered stale, and the gateway
-- screens it again. The columns move in the update that moves the head anyway, and no index holds
-- them.
SET lock_timeout = '2s';
SET client_min_messages = warning;

-- The last message of each that was screened, of whatever status. NULL: none yet.
ALTER TABLE public.chat_rooms
    ADD COLUMN IF NOT EXISTS teacher_last uuid,
    ADD COLUMN IF NOT EXISTS student_last uuid;

-- Cases that no rules have seen: rows that other programs wrote as pending. Nearly always empty.
CREATE INDEX IF NOT EXISTS moderation_cases_unscreened_idx
    ON public.moderation_cases (room_id, sender_id, opened_at, message_id)
    WHERE rule_set IS NULL AND decided_at IS NULL;

DROP FUNCTION IF EXISTS public.chatgate_write_messages(
    uuid[], uuid[], uuid[], uuid[], text[], bytea[], text[], text[], jsonb[], bigint, text, boolean);

-- As 071, with p_after: for each message the one before it that its screening saw, the nil UUID for
-- none, NULL for whatever it is.
CREATE OR REPLACE FUNCTION public.chatgate_write_messages(
    p_id uuid[], p_room uuid[], p_sender uuid[], p_cid uuid[], p_text text[], p_hash bytea[],
    p_status text[], p_reason text[], p_rules jsonb[], p_rule_set bigint, p_node text,
    p_wait boolean DEFAULT false, p_after uuid[] DEFAULT NULL)
RETURNS TABLE (ord integer, result text, id uuid, status text, seq bigint, at_us bigint,
               reason text, teacher uuid, student uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    locked uuid[];
    utc_now timestamp;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'chatgate_write_messages needs READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;

    IF p_wait THEN
        locked := ARRAY(SELECT r.id FROM public.chat_rooms r WHERE r.id = ANY (p_room)
                        ORDER BY r.id FOR NO KEY UPDATE);
    ELSE
        locked := ARRAY(SELECT r.id FROM public.chat_rooms r WHERE r.id = ANY (p_room)
                        ORDER BY r.id FOR NO KEY UPDATE SKIP LOCKED);
    END IF;
    utc_now := clock_timestamp() AT TIME ZONE 'utc';

    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT i.*,
               first_value(i.ord) OVER same AS first_ord,
               first_value(i.hash) OVER same AS first_hash,
               lag(i.id) OVER own AS before
        FROM unnest(p_id, p_room, p_sender, p_cid, p_text, p_hash, p_status, p_reason, p_rules,
                    p_after)
             WITH ORDINALITY AS i (id, room, sender, cid, body, hash, status, reason, rules, after,
                                   ord)
        WINDOW same AS (PARTITION BY i.room, i.sender, coalesce(i.cid, i.id) ORDER BY i.ord),
               own AS (PARTITION BY i.room, i.sender ORDER BY i.ord)
    ), judged AS MATERIALIZED (
        -- An old cid is answered before anything else: also when the room is closed or busy.
        SELECT i.*, known.id AS known_id, known.status AS known_status, known.seq AS known_seq,
               known.created_at AS known_at, known.verdict_reason AS known_reason,
               r.teacher_id, r.student_id, r.head,
               i.after = coalesce(i.before, CASE i.sender WHEN r.teacher_id THEN r.teacher_last
                                                          ELSE r.student_last END,
                                  '00000000-0000-0000-0000-000000000000') AS follows,
               CASE WHEN known.id IS NOT NULL AND known.text_hash <> i.hash
                        THEN 'cid_conflict'
                    WHEN known.id IS NOT NULL THEN 'dup'
                    WHEN r.id IS NULL THEN 'no_room'
                    WHEN r.id NOT IN (SELECT unnest(locked)) THEN 'busy'
                    WHEN r.deleted_at IS NOT NULL THEN 'no_room'
                    WHEN i.sender NOT IN (r.teacher_id, r.student_id) THEN 'not_member'
                    WHEN i.ord = i.first_ord THEN 'new'
                    WHEN i.hash IS DISTINCT FROM i.first_hash THEN 'cid_conflict'
                    ELSE 'dup' END AS found
        FROM input i
        LEFT JOIN LATERAL (
            SELECT m.id, m.status, m.seq, m.created_at, m.verdict_reason, m.text_hash
            FROM public.messages m
            WHERE m.chat_room_id = i.room AND m.sender_id = i.sender AND m.cid = i.cid
            OFFSET 0
        ) known ON true
        LEFT JOIN LATERAL (
            SELECT c.id, c.teacher_id, c.student_id, c.head, c.deleted_at, c.teacher_last,
                   c.student_last
            FROM public.chat_rooms c
            WHERE c.id = i.room
            OFFSET 0
        ) r ON true
    ), checked AS (
        -- Messages of one sender in one batch name each other: who follows one that is not written
        -- is stale too, and so is a resend of it.
        SELECT j.*,
               CASE WHEN j.found = 'new' AND j.follows IS FALSE THEN 'stale'
                    WHEN p_after IS NOT NULL
                        AND (j.found = 'new' AND j.after IS NOT NULL
                             OR j.known_id IS NULL AND j.found IN ('dup', 'cid_conflict'))
                        AND NOT bool_and(j.found = 'new' AND j.follows IS NOT FALSE) OVER before
                        THEN 'stale'
                    ELSE j.found END AS result
        FROM judged j
        WINDOW before AS (PARTITION BY j.room, j.sender ORDER BY j.ord
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), numbered AS MATERIALIZED (
        SELECT j.*,
               CASE WHEN j.result = 'new' AND j.status = 'delivered'
                   THEN j.head + count(*) FILTER (WHERE j.result = 'new' AND j.status = 'delivered')
                                 OVER (PARTITION BY j.room ORDER BY j.ord) END AS new_seq
        FROM checked j
    ), written AS (
        INSERT INTO public.messages
            (id, chat_room_id, sender_id, message_text, status, moderation_completed_at,
             created_at, cid, text_hash, seq, verdict_reason, rule_set)
        SELECT n.id, n.room, n.sender, n.body, n.status,
               CASE WHEN n.status <> 'pending_moderation' THEN utc_now END,
               utc_now, n.cid, n.hash, n.new_seq, n.reason, p_rule_set
        FROM numbered n
        WHERE n.result = 'new'
        ORDER BY n.ord
    ), moved AS (
        UPDATE public.chat_rooms r
        SET head = coalesce(h.head, r.head),
            last_message_at = CASE WHEN h.head IS NULL THEN r.last_message_at ELSE utc_now END,
            teacher_last = coalesce(h.teacher_last, r.teacher_last),
            student_last = coalesce(h.student_last, r.student_last)
        FROM (
            SELECT n.room, max(n.new_seq) AS head,
                   (array_agg(n.id ORDER BY n.ord DESC)
                    FILTER (WHERE n.sender = n.teacher_id))[1] AS teacher_last,
                   (array_agg(n.id ORDER BY n.ord DESC)
                    FILTER (WHERE n.sender = n.student_id))[1] AS student_last
            FROM numbered n
            WHERE n.result = 'new'
            GROUP BY n.room
        ) h
        WHERE r.id = h.room
    ), cased AS (
        INSERT INTO public.moderation_cases
            (message_id, room_id, sender_id, opened_at, reason, detail, rule_set, decided_at)
        SELECT n.id, n.room, n.sender, utc_now AT TIME ZONE 'utc', n.reason, n.rules, p_rule_set,
               CASE WHEN n.status <> 'pending_moderation' THEN utc_now AT TIME ZONE 'utc' END
        FROM numbered n
        WHERE n.result = 'new' AND (n.status <> 'delivered' OR n.rules IS NOT NULL)
    ), audited AS (
        INSERT INTO public.moderation_audit
            (action, message_id, room_id, node, to_status, version, reason, rule_set)
        SELECT 'screen', n.id, n.room, p_node, n.status, 1, n.reason, p_rule_set
        FROM numbered n
        WHERE n.result = 'new' AND n.status <> 'delivered'
    )
    SELECT n.ord::integer, n.result,
           coalesce(n.known_id, CASE WHEN n.ord <> n.first_ord AND n.result = 'dup'
                                    THEN first_value(n.id) OVER same ELSE n.id END),
           coalesce(n.known_status::text, first_value(n.status) OVER same),
           coalesce(n.known_seq, first_value(n.new_seq) OVER same),
           public.chatgate_us(coalesce(n.known_at, utc_now)),
           CASE WHEN n.known_id IS NULL THEN first_value(n.reason) OVER same
               ELSE n.known_reason END,
           n.teacher_id, n.student_id
    FROM numbered n
    WINDOW same AS (PARTITION BY n.room, n.sender, coalesce(n.cid, n.id) ORDER BY n.ord)
    ORDER BY n.ord;
END
$$;

-- Pending rows without a case: from before the triggers, or of an insert whose trigger gave way.
-- Returns how many were given one.
CREATE OR REPLACE FUNCTION public.chatgate_open_cases(p_limit integer) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH opened AS (
        INSERT INTO public.moderation_cases (message_id, room_id, sender_id, opened_at, reason)
        SELECT m.id, m.chat_room_id, m.sender_id,
               coalesce(m.created_at AT TIME ZONE 'utc', clock_timestamp()), m.verdict_reason
        FROM public.messages m
        WHERE m.status = 'pending_moderation' AND m.deleted_at IS NULL
          AND NOT EXISTS (SELECT FROM public.moderation_cases c WHERE c.message_id = m.id)
        ORDER BY m.created_at, m.id
        LIMIT p_limit
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT count(*) FROM opened
$$;

-- The rules' verdicts on such rows, at most one of each sender and room in a call. By
-- compare-and-set, under the locks that people's verdicts take: whatever number of nodes has
-- screened the row, one verdict counts and is in the audit log. A hold leaves the message as it is
-- and makes its case one that was screened.
CREATE OR REPLACE FUNCTION public.chatgate_screen(
    p_id uuid[], p_version integer[], p_status text[], p_reason text[], p_detail jsonb[],
    p_after uuid[], p_rule_set bigint[], p_node text)
RETURNS TABLE (ord integer, result text, id uuid, room uuid, sender uuid, cid uuid, status text,
               seq bigint, version integer, text text, at_us bigint, reason text, teacher uuid,
               student uuid, decided_by uuid, removed_seq bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    now_tz timestamptz;
    utc_now timestamp;
BEGIN
    PERFORM public.chatgate_lock_messages(p_id);
    now_tz := clock_timestamp();
    utc_now := now_tz AT TIME ZONE 'utc';

    RETURN QUERY
    WITH judged AS MATERIALIZED (
        SELECT i.*, m.chat_room_id AS room, m.sender_id AS sender, m.cid, m.seq, m.removed_seq,
               m.version AS old_version, m.status AS old_status, m.message_text, m.created_at,
               m.verdict_reason, m.teacher_id, m.student_id, m.head,
               CASE WHEN m.id IS NULL THEN 'not_found'
                    WHEN m.status <> 'pending_moderation' OR m.seq IS NOT NULL
                        OR m.deleted_at IS NOT NULL OR m.version <> i.version
                        OR m.cased_under IS NOT NULL THEN 'already_decided'
                    WHEN m.claim_until > now_tz THEN 'claimed'
                    WHEN i.after <> coalesce(m.last, '00000000-0000-0000-0000-000000000000')
                        THEN 'stale'
                    WHEN i.status = 'pending_moderation' THEN 'held'
                    ELSE 'decided' END AS result
        FROM unnest(p_id, p_version, p_status, p_reason, p_detail, p_after, p_rule_set)
             WITH ORDINALITY AS i (id, version, status, reason, detail, after, rule_set, ord)
        LEFT JOIN LATERAL (
            SELECT x.*, r.teacher_id, r.student_id, r.head, c.rule_set AS cased_under, c.claim_until,
                   CASE x.sender_id WHEN r.teacher_id THEN r.teacher_last
                                    ELSE r.student_last END AS last
            FROM public.messages x
            JOIN public.chat_rooms r ON r.id = x.chat_room_id
            LEFT JOIN public.moderation_cases c ON c.message_id = x.id
            WHERE x.id = i.id
            OFFSET 0
        ) m ON true
    ), numbered AS MATERIALIZED (
        SELECT j.*,
               CASE WHEN j.result = 'decided' AND j.status = 'delivered'
                   THEN j.head + count(*) FILTER (WHERE j.result = 'decided'
                                                    AND j.status = 'delivered')
                                 OVER (PARTITION BY j.room ORDER BY j.ord) END AS new_seq
        FROM judged j
    ), written AS (
        UPDATE public.messages m
        SET status = n.status, seq = n.new_seq, version = m.version + 1,
            verdict_reason = n.reason, delayed = true, moderation_completed_at = utc_now,
            rule_set = n.rule_set
        FROM numbered n
        WHERE m.id = n.id AND n.result = 'decided'
    ), held AS (
        UPDATE public.messages m
        SET verdict_reason = n.reason, rule_set = n.rule_set
        FROM numbered n
        WHERE m.id = n.id AND n.result = 'held'
    ), moved AS (
        UPDATE public.chat_rooms r
        SET head = coalesce(h.head, r.head),
            last_message_at = CASE WHEN h.head IS NULL THEN r.last_message_at ELSE utc_now END,
            teacher_last = coalesce(h.teacher_last, r.teacher_last),
            student_last = coalesce(h.student_last, r.student_last)
        FROM (
            SELECT n.room, max(n.new_seq) AS head,
                   (array_agg(n.id) FILTER (WHERE n.sender = n.teacher_id))[1] AS teacher_last,
                   (array_agg(n.id) FILTER (WHERE n.sender = n.student_id))[1] AS student_last
            FROM numbered n
            WHERE n.result IN ('decided', 'held')
            GROUP BY n.room
        ) h
        WHERE r.id = h.room
    ), cased AS (
        INSERT INTO public.moderation_cases AS c
            (message_id, room_id, sender_id, reason, detail, rule_set, decided_at)
        SELECT n.id, n.room, n.sender, n.reason, n.detail, n.rule_set,
               CASE WHEN n.result = 'decided' THEN now_tz END
        FROM numbered n
        WHERE n.result IN ('decided', 'held')
        ON CONFLICT (message_id) DO UPDATE
        SET reason = excluded.reason, detail = excluded.detail, rule_set = excluded.rule_set,
            decided_at = excluded.decided_at, claimed_by = NULL, claim_until = NULL
    ), audited AS (
        INSERT INTO public.moderation_audit
            (action, message_id, room_id, node, from_status, to_status, version, reason, rule_set)
        SELECT 'screen', n.id, n.room, p_node, n.old_status, n.status,
               CASE WHEN n.result = 'decided' THEN n.version + 1 ELSE n.version END, n.reason,
               n.rule_set
        FROM numbered n
        WHERE n.result IN ('decided', 'held')
    )
    SELECT n.ord::integer, n.result, n.id, n.room, n.sender, n.cid,
           CASE WHEN n.result = 'decided' THEN n.status ELSE n.old_status::text END,
           coalesce(n.new_seq, n.seq),
           CASE WHEN n.result = 'decided' THEN n.version + 1 ELSE n.old_version END,
           CASE WHEN n.result = 'decided' THEN n.message_text END,
           public.chatgate_us(n.created_at),
           CASE WHEN n.result IN ('decided', 'held') THEN n.reason ELSE n.verdict_reason END,
           n.teacher_id, n.student_id, NULL::uuid, n.removed_seq
    FROM numbered n
    ORDER BY n.ord;
END
$$;
