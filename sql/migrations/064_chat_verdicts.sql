-- SPDX-License-Identifier: Apache-2.0
-- Verdicts: decide, undo, remove; leases; the look at a context.
--
-- Each verdict function locks the rooms in the order of their ids, then the messages, and only
-- then reads what it judges, in a snapshot taken after the locks: a transition that is allowed
-- cannot be overtaken any more, and a number that is handed out is used. Nobody decides in a room
-- of their own.
SET lock_timeout = '2s';
SET client_min_messages = warning;

CREATE OR REPLACE FUNCTION public.chatgate_lock_messages(p_id uuid[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'chatgate verdicts need READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM
    FROM public.chat_rooms r
    WHERE r.id = ANY (ARRAY(
        SELECT m.chat_room_id FROM public.messages m WHERE m.id = ANY (p_id)))
    ORDER BY r.id
    FOR NO KEY UPDATE;
    PERFORM FROM public.messages m WHERE m.id = ANY (p_id) ORDER BY m.id FOR NO KEY UPDATE;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_decide(
    p_moderator uuid, p_id uuid[], p_version integer[], p_verdict text[], p_reason text[],
    p_note text[], p_claim bigint[], p_node text)
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
    IF EXISTS (SELECT FROM unnest(p_verdict) v WHERE v IS NULL OR v NOT IN ('deliver', 'block')) THEN
        RAISE EXCEPTION 'a verdict is deliver or block' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM public.chatgate_lock_messages(p_id);
    now_tz := clock_timestamp();
    utc_now := now_tz AT TIME ZONE 'utc';

    RETURN QUERY
    WITH judged AS MATERIALIZED (
        SELECT i.ord, i.id, i.reason AS said, i.note,
               CASE i.verdict WHEN 'deliver' THEN 'delivered' ELSE 'blocked' END AS verdict,
               m.chat_room_id AS room, m.sender_id AS sender, m.cid, m.status, m.seq,
               m.removed_seq, m.version, m.message_text, m.created_at, m.verdict_reason,
               m.teacher_id, m.student_id, m.head, m.decided_by,
               CASE WHEN m.id IS NULL THEN 'not_found'
                    WHEN p_moderator IN (m.teacher_id, m.student_id) THEN 'own_room'
                    WHEN m.status <> 'pending_moderation' OR m.seq IS NOT NULL
                        OR m.deleted_at IS NOT NULL OR i.version NOT IN (0, m.version)
                        THEN 'already_decided'
                    WHEN m.claimed_by <> p_moderator AND m.claim_until > now_tz THEN 'claimed'
                    WHEN i.claim > 0 AND i.claim <> coalesce(m.claim_token, 0) THEN 'claimed'
                    WHEN i.again > 1 THEN 'already_decided'
                    ELSE 'decided' END AS result
        FROM (
            SELECT u.*, row_number() OVER (PARTITION BY u.id ORDER BY u.ord) AS again
            FROM unnest(p_id, p_version, p_verdict, p_reason, p_note, p_claim)
                 WITH ORDINALITY AS u (id, version, verdict, reason, note, claim, ord)
        ) i
        LEFT JOIN LATERAL (
            SELECT x.*, r.teacher_id, r.student_id, r.head,
                   c.claimed_by, c.claim_until, c.claim_token, c.decided_by
            FROM public.messages x
            JOIN public.chat_rooms r ON r.id = x.chat_room_id
            LEFT JOIN public.moderation_cases c ON c.message_id = x.id
            WHERE x.id = i.id
            OFFSET 0
        ) m ON true
    ), numbered AS MATERIALIZED (
        SELECT j.*,
               CASE WHEN j.result = 'decided' AND j.verdict = 'delivered'
                   THEN j.head + count(*) FILTER (WHERE j.result = 'decided'
                                                    AND j.verdict = 'delivered')
                                 OVER (PARTITION BY j.room ORDER BY j.ord) END AS new_seq,
               CASE WHEN j.verdict = 'delivered' THEN j.said
                    ELSE coalesce(j.said, j.verdict_reason) END AS new_reason
        FROM judged j
    ), written AS (
        UPDATE public.messages m
        SET status = n.verdict, seq = n.new_seq, version = m.version + 1,
            verdict_reason = n.new_reason, delayed = true, moderation_completed_at = utc_now
        FROM numbered n
        WHERE m.id = n.id AND n.result = 'decided'
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
        INSERT INTO public.moderation_cases AS c
            (message_id, room_id, sender_id, reason, decided_by, decided_at)
        SELECT n.id, n.room, n.sender, n.verdict_reason, p_moderator, now_tz
        FROM numbered n
        WHERE n.result = 'decided'
        ON CONFLICT (message_id) DO UPDATE
        SET decided_by = excluded.decided_by, decided_at = excluded.decided_at,
            claimed_by = NULL, claim_until = NULL
    ), audited AS (
        INSERT INTO public.moderation_audit
            (action, message_id, room_id, actor_id, node, from_status, to_status, version, reason,
             note, waited_ms)
        SELECT 'decide', n.id, n.room, p_moderator, p_node, n.status, n.verdict, n.version + 1,
               n.new_reason, n.note, extract(epoch FROM utc_now - n.created_at) * 1000
        FROM numbered n
        WHERE n.result = 'decided'
    ), answered AS (
        -- The second of the same message in one call is answered with the first one's verdict.
        SELECT n.*, first_value(n.result) OVER same = 'decided' AS fresh,
               first_value(n.verdict) OVER same AS final_status,
               first_value(n.new_seq) OVER same AS final_seq,
               first_value(n.new_reason) OVER same AS final_reason
        FROM numbered n
        WINDOW same AS (PARTITION BY n.id ORDER BY n.ord)
    )
    SELECT a.ord::integer, a.result, a.id, a.room, a.sender, a.cid,
           CASE WHEN a.fresh THEN a.final_status ELSE a.status::text END,
           CASE WHEN a.fresh THEN a.final_seq ELSE a.seq END,
           CASE WHEN a.fresh THEN a.version + 1 ELSE a.version END,
           CASE WHEN a.result <> 'own_room' AND a.removed_seq IS NULL THEN a.message_text END,
           public.chatgate_us(a.created_at),
           CASE WHEN a.fresh THEN a.final_reason ELSE a.verdict_reason END,
           a.teacher_id, a.student_id,
           CASE WHEN a.fresh THEN p_moderator ELSE a.decided_by END,
           a.removed_seq
    FROM answered a
    ORDER BY a.ord;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_undo(
    p_moderator uuid, p_id uuid[], p_version integer[], p_window_s integer, p_note text[],
    p_node text)
RETURNS TABLE (ord integer, result text, id uuid, room uuid, sender uuid, cid uuid, status text,
               seq bigint, version integer, text text, at_us bigint, reason text, teacher uuid,
               student uuid, decided_by uuid, removed_seq bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT *
    FROM public.chatgate_reverse('undo', p_moderator, p_id, p_version, p_window_s,
                                 NULL, p_note, p_node);
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_remove(
    p_moderator uuid, p_id uuid[], p_version integer[], p_reason text[], p_note text[],
    p_node text)
RETURNS TABLE (ord integer, result text, id uuid, room uuid, sender uuid, cid uuid, status text,
               seq bigint, version integer, text text, at_us bigint, reason text, teacher uuid,
               student uuid, decided_by uuid, removed_seq bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT *
    FROM public.chatgate_reverse('remove', p_moderator, p_id, p_version, 0, p_reason, p_note,
                                 p_node);
END
$$;

-- What undo and remove share. A blocked message that is undone becomes delivered and takes its
-- seq; a delivered one becomes removed and takes its removed_seq: both are the room's next number.
CREATE OR REPLACE FUNCTION public.chatgate_reverse(
    p_action text, p_moderator uuid, p_id uuid[], p_version integer[], p_window_s integer,
    p_reason text[], p_note text[], p_node text)
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
        SELECT i.ord, i.id, i.reason AS said, i.note,
               m.chat_room_id AS room, m.sender_id AS sender, m.cid, m.status, m.seq,
               m.removed_seq, m.version, m.message_text, m.created_at, m.verdict_reason,
               m.teacher_id, m.student_id, m.head, m.decided_by,
               m.status = 'delivered' AS removing,
               CASE WHEN m.id IS NULL THEN 'not_found'
                    WHEN p_moderator IN (m.teacher_id, m.student_id) THEN 'own_room'
                    WHEN m.removed_seq IS NOT NULL OR m.deleted_at IS NOT NULL
                        OR i.version NOT IN (0, m.version) OR i.again > 1 THEN 'already_decided'
                    WHEN p_action = 'remove' AND m.seq IS NULL THEN 'not_delivered'
                    WHEN p_action = 'remove' THEN 'removed'
                    WHEN m.status = 'blocked' AND m.seq IS NULL
                        OR m.status = 'delivered' AND m.seq IS NOT NULL THEN
                        CASE WHEN m.moderation_completed_at
                                  >= utc_now - p_window_s * interval '1 second'
                            THEN 'undone' ELSE 'too_late' END
                    ELSE 'not_decided' END AS result
        FROM (
            SELECT u.*, row_number() OVER (PARTITION BY u.id ORDER BY u.ord) AS again
            FROM unnest(p_id, p_version, p_reason, p_note)
                 WITH ORDINALITY AS u (id, version, reason, note, ord)
        ) i
        LEFT JOIN LATERAL (
            SELECT x.*, r.teacher_id, r.student_id, r.head, c.decided_by
            FROM public.messages x
            JOIN public.chat_rooms r ON r.id = x.chat_room_id
            LEFT JOIN public.moderation_cases c ON c.message_id = x.id
            WHERE x.id = i.id
            OFFSET 0
        ) m ON true
    ), numbered AS MATERIALIZED (
        SELECT j.*, j.result IN ('undone', 'removed') AS allowed,
               CASE WHEN j.result IN ('undone', 'removed')
                   THEN j.head + count(*) FILTER (WHERE j.result IN ('undone', 'removed'))
                                 OVER (PARTITION BY j.room ORDER BY j.ord) END AS number,
               CASE WHEN j.removing THEN coalesce(j.said, j.verdict_reason) END AS new_reason
        FROM judged j
    ), written AS (
        UPDATE public.messages m
        SET status = 'delivered',
            seq = CASE WHEN n.removing THEN m.seq ELSE n.number END,
            removed_seq = CASE WHEN n.removing THEN n.number END,
            deleted_at = CASE WHEN n.removing THEN utc_now END,
            moderation_completed_at = CASE WHEN n.removing THEN m.moderation_completed_at
                                           ELSE utc_now END,
            delayed = m.delayed OR NOT n.removing,
            verdict_reason = n.new_reason,
            version = m.version + 1
        FROM numbered n
        WHERE m.id = n.id AND n.allowed
    ), moved AS (
        UPDATE public.chat_rooms r
        SET head = h.head,
            last_message_at = CASE WHEN h.delivers THEN utc_now ELSE r.last_message_at END
        FROM (
            SELECT n.room, max(n.number) AS head, bool_or(NOT n.removing) AS delivers
            FROM numbered n
            WHERE n.allowed
            GROUP BY n.room
        ) h
        WHERE r.id = h.room
    ), cased AS (
        INSERT INTO public.moderation_cases AS c
            (message_id, room_id, sender_id, reason, decided_by, decided_at, overturned)
        SELECT n.id, n.room, n.sender, n.new_reason, p_moderator, now_tz, p_action = 'undo'
        FROM numbered n
        WHERE n.allowed
        ON CONFLICT (message_id) DO UPDATE
        SET decided_by = excluded.decided_by, decided_at = excluded.decided_at,
            overturned = c.overturned OR excluded.overturned
    ), audited AS (
        INSERT INTO public.moderation_audit
            (action, message_id, room_id, actor_id, node, from_status, to_status, version, reason,
             note)
        SELECT p_action, n.id, n.room, p_moderator, p_node, n.status,
               CASE WHEN n.removing THEN 'removed' ELSE 'delivered' END, n.version + 1,
               n.new_reason, n.note
        FROM numbered n
        WHERE n.allowed
    ), answered AS (
        SELECT n.*, first_value(n.allowed) OVER same AS fresh,
               first_value(n.number) OVER same AS final_number
        FROM numbered n
        WINDOW same AS (PARTITION BY n.id ORDER BY n.ord)
    )
    SELECT a.ord::integer, a.result, a.id, a.room, a.sender, a.cid,
           CASE WHEN a.fresh THEN 'delivered' ELSE a.status::text END,
           CASE WHEN a.fresh AND NOT a.removing THEN a.final_number ELSE a.seq END,
           CASE WHEN a.fresh THEN a.version + 1 ELSE a.version END,
           CASE WHEN a.result <> 'own_room' AND a.removed_seq IS NULL
                    AND NOT (a.fresh AND a.removing) THEN a.message_text END,
           public.chatgate_us(a.created_at),
           CASE WHEN a.fresh THEN a.new_reason ELSE a.verdict_reason END,
           a.teacher_id, a.student_id,
           CASE WHEN a.fresh THEN p_moderator ELSE a.decided_by END,
           CASE WHEN a.fresh AND a.removing THEN a.final_number ELSE a.removed_seq END
    FROM answered a
    ORDER BY a.ord;
END
$$;

-- A lease needs no room lock: it guards a person's time, the verdict's compare-and-set guards the
-- message. The second statement reports what the first one left, whoever won.
CREATE OR REPLACE FUNCTION public.chatgate_claim(
    p_moderator uuid, p_id uuid[], p_lease_s integer, p_node text)
RETURNS TABLE (ord integer, result text, id uuid, room uuid, claimed_by uuid, claim_until_us bigint,
               claim_token bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    now_tz timestamptz := clock_timestamp();
BEGIN
    INSERT INTO public.moderation_cases AS c
        (message_id, room_id, sender_id, reason, claimed_by, claim_until, claim_token)
    SELECT m.id, m.chat_room_id, m.sender_id, m.verdict_reason, p_moderator,
           now_tz + p_lease_s * interval '1 second', 1
    FROM public.messages m
    JOIN public.chat_rooms r ON r.id = m.chat_room_id
    WHERE m.id = ANY (p_id) AND m.status = 'pending_moderation' AND m.deleted_at IS NULL
      AND p_moderator NOT IN (r.teacher_id, r.student_id)
    ORDER BY m.id
    ON CONFLICT (message_id) DO UPDATE
    SET claimed_by = excluded.claimed_by, claim_until = excluded.claim_until,
        claim_token = c.claim_token
                      + CASE WHEN c.claimed_by = p_moderator AND c.claim_until > now_tz
                          THEN 0 ELSE 1 END
    WHERE c.claimed_by IS NULL OR c.claim_until <= now_tz OR c.claimed_by = p_moderator;

    RETURN QUERY
    SELECT j.ord::integer, j.result, j.id, j.room,
           CASE WHEN j.result IN ('claimed', 'held') THEN j.claimed_by END,
           CASE WHEN j.result IN ('claimed', 'held') THEN public.chatgate_us(j.claim_until) END,
           CASE WHEN j.result = 'claimed' THEN j.claim_token END
    FROM (
        SELECT i.ord, i.id, m.chat_room_id AS room, c.claimed_by, c.claim_until, c.claim_token,
               CASE WHEN m.id IS NULL THEN 'not_found'
                    WHEN p_moderator IN (r.teacher_id, r.student_id) THEN 'own_room'
                    WHEN m.status <> 'pending_moderation' OR m.deleted_at IS NOT NULL
                        THEN 'already_decided'
                    WHEN c.claimed_by = p_moderator THEN 'claimed'
                    ELSE 'held' END AS result
        FROM unnest(p_id) WITH ORDINALITY AS i (id, ord)
        LEFT JOIN public.messages m ON m.id = i.id
        LEFT JOIN public.chat_rooms r ON r.id = m.chat_room_id
        LEFT JOIN public.moderation_cases c ON c.message_id = i.id
    ) j
    ORDER BY j.ord;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_release(
    p_moderator uuid, p_id uuid[], p_token bigint[], p_node text)
RETURNS TABLE (ord integer, result text, id uuid, room uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    released uuid[];
BEGIN
    WITH freed AS (
        UPDATE public.moderation_cases c
        SET claimed_by = NULL, claim_until = NULL
        FROM unnest(p_id, p_token) AS i (id, token)
        WHERE c.message_id = i.id AND c.claimed_by = p_moderator
          AND c.claim_until > clock_timestamp()
          AND coalesce(i.token, 0) IN (0, c.claim_token)
        RETURNING c.message_id
    )
    SELECT array_agg(f.message_id) INTO released FROM freed f;

    RETURN QUERY
    SELECT i.ord::integer,
           CASE WHEN m.id IS NULL THEN 'not_found'
                WHEN i.id = ANY (released) THEN 'released'
                ELSE 'not_holder' END,
           i.id, m.chat_room_id
    FROM unnest(p_id) WITH ORDINALITY AS i (id, ord)
    LEFT JOIN public.messages m ON m.id = i.id
    ORDER BY i.ord;
END
$$;

-- The conversation around a message. What was delivered is walked by number; what was not has a
-- case, and cases know their room. A member of the room sees nothing here: they would read what
-- the other one was not allowed to say.
CREATE OR REPLACE FUNCTION public.chatgate_context(
    p_viewer uuid, p_message uuid, p_before integer, p_after integer, p_node text)
RETURNS TABLE (id uuid, room uuid, sender uuid, status text, seq bigint, removed boolean, text text,
               at_us bigint, delayed boolean, reason text, version integer, focus boolean,
               teacher uuid, student uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    focus_row record;
    pivot bigint;
BEGIN
    SELECT m.id, m.seq, m.created_at, r.id AS room_id, r.teacher_id, r.student_id INTO focus_row
    FROM public.messages m
    JOIN public.chat_rooms r ON r.id = m.chat_room_id
    WHERE m.id = p_message AND p_viewer NOT IN (r.teacher_id, r.student_id);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO public.moderation_audit (action, message_id, room_id, actor_id, node)
    VALUES ('context', p_message, focus_row.room_id, p_viewer, p_node);

    -- The last number before it. Only what was delivered since is walked over.
    pivot := coalesce(focus_row.seq - 1, (
        SELECT m.seq
        FROM public.messages m
        WHERE m.chat_room_id = focus_row.room_id AND m.seq IS NOT NULL
          AND m.created_at <= focus_row.created_at
        ORDER BY m.seq DESC
        LIMIT 1), 0);

    RETURN QUERY
    SELECT m.id, m.chat_room_id, m.sender_id, m.status::text, m.seq, m.removed_seq IS NOT NULL,
           m.message_text, coalesce(public.chatgate_us(m.created_at), 0), m.delayed,
           m.verdict_reason, m.version, m.id = p_message, focus_row.teacher_id,
           focus_row.student_id
    FROM (
        SELECT f.* FROM public.messages f WHERE f.id = p_message
        UNION ALL
        (SELECT b.*
         FROM public.messages b
         WHERE b.chat_room_id = focus_row.room_id AND b.seq <= pivot
         ORDER BY b.seq DESC
         LIMIT p_before)
        UNION ALL
        (SELECT a.*
         FROM public.messages a
         WHERE a.chat_room_id = focus_row.room_id AND a.seq > pivot AND a.id <> p_message
         ORDER BY a.seq
         LIMIT p_after)
        UNION ALL
        (SELECT b.*
         FROM public.moderation_cases c
         JOIN public.messages b ON b.id = c.message_id
         WHERE c.room_id = focus_row.room_id AND b.seq IS NULL AND b.id <> p_message
           AND c.opened_at <= focus_row.created_at AT TIME ZONE 'utc'
         ORDER BY c.opened_at DESC
         LIMIT p_before)
        UNION ALL
        (SELECT a.*
         FROM public.moderation_cases c
         JOIN public.messages a ON a.id = c.message_id
         WHERE c.room_id = focus_row.room_id AND a.seq IS NULL AND a.id <> p_message
           AND c.opened_at > focus_row.created_at AT TIME ZONE 'utc'
         ORDER BY c.opened_at
         LIMIT p_after)
    ) m
    ORDER BY m.created_at, m.id;
END
$$;
