-- SPDX-License-Identifier: Apache-2.0
-- Every message says which rule set it was screened under, not only those that became a case.
--
-- The writer is 062's, with that one column more. NULL stands for rows that no rules have seen.
SET lock_timeout = '2s';
SET client_min_messages = warning;

ALTER TABLE public.messages ADD COLUMN IF NOT EXISTS rule_set bigint;

CREATE OR REPLACE FUNCTION public.chatgate_write_messages(
    p_id uuid[], p_room uuid[], p_sender uuid[], p_cid uuid[], p_text text[], p_hash bytea[],
    p_status text[], p_reason text[], p_rules jsonb[], p_rule_set bigint, p_node text,
    p_wait boolean DEFAULT false)
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
               first_value(i.hash) OVER same AS first_hash
        FROM unnest(p_id, p_room, p_sender, p_cid, p_text, p_hash, p_status, p_reason, p_rules)
             WITH ORDINALITY AS i (id, room, sender, cid, body, hash, status, reason, rules, ord)
        WINDOW same AS (PARTITION BY i.room, i.sender, coalesce(i.cid, i.id) ORDER BY i.ord)
    ), judged AS MATERIALIZED (
        -- An old cid is answered before anything else: also when the room is closed or busy.
        SELECT i.*, known.id AS known_id, known.status AS known_status, known.seq AS known_seq,
               known.created_at AS known_at, known.verdict_reason AS known_reason,
               r.teacher_id, r.student_id, r.head,
               CASE WHEN known.id IS NOT NULL AND known.text_hash <> i.hash
                        THEN 'cid_conflict'
                    WHEN known.id IS NOT NULL THEN 'dup'
                    WHEN r.id IS NULL THEN 'no_room'
                    WHEN r.id NOT IN (SELECT unnest(locked)) THEN 'busy'
                    WHEN r.deleted_at IS NOT NULL THEN 'no_room'
                    WHEN i.sender NOT IN (r.teacher_id, r.student_id) THEN 'not_member'
                    WHEN i.ord = i.first_ord THEN 'new'
                    WHEN i.hash IS DISTINCT FROM i.first_hash THEN 'cid_conflict'
                    ELSE 'dup' END AS result
        FROM input i
        LEFT JOIN LATERAL (
            SELECT m.id, m.status, m.seq, m.created_at, m.verdict_reason, m.text_hash
            FROM public.messages m
            WHERE m.chat_room_id = i.room AND m.sender_id = i.sender AND m.cid = i.cid
            OFFSET 0
        ) known ON true
        LEFT JOIN LATERAL (
            SELECT c.id, c.teacher_id, c.student_id, c.head, c.deleted_at
            FROM public.chat_rooms c
            WHERE c.id = i.room
            OFFSET 0
        ) r ON true
    ), numbered AS MATERIALIZED (
        SELECT j.*,
               CASE WHEN j.result = 'new' AND j.status = 'delivered'
                   THEN j.head + count(*) FILTER (WHERE j.result = 'new' AND j.status = 'delivered')
                                 OVER (PARTITION BY j.room ORDER BY j.ord) END AS new_seq
        FROM judged j
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
        SET head = h.head, last_message_at = utc_now
        FROM (
            SELECT n.room, max(n.new_seq) AS head
            FROM numbered n
            WHERE n.new_seq IS NOT NULL
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
