-- SPDX-License-Identifier: Apache-2.0
-- Rooms on request, read marks, and the numbering of what other programs delivered.
SET lock_timeout = '2s';
SET client_min_messages = warning;

-- Get or create. A room that is there is given whatever has become of the lessons since; a new or
-- returning one needs a teacher, a student and, unless lifted, a tie: a lesson of the two, or a
-- booking that is active or completed.
CREATE OR REPLACE FUNCTION public.chatgate_open_room(
    me uuid, other uuid, require_lesson boolean, node text, OUT outcome text, OUT room uuid)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    my_role text;
    other_role text;
    teacher uuid;
    student uuid;
BEGIN
    IF me = other THEN
        outcome := 'same_user';
        RETURN;
    END IF;
    SELECT u.role INTO my_role FROM public.users u WHERE u.id = me AND u.deleted_at IS NULL;
    SELECT u.role INTO other_role FROM public.users u WHERE u.id = other AND u.deleted_at IS NULL;
    IF my_role IS NULL OR other_role IS NULL THEN
        outcome := 'user_missing';
        RETURN;
    END IF;
    IF my_role = 'teacher' AND other_role = 'student' THEN
        teacher := me;
        student := other;
    ELSIF my_role = 'student' AND other_role = 'teacher' THEN
        teacher := other;
        student := me;
    ELSE
        outcome := 'wrong_role';
        RETURN;
    END IF;

    SELECT r.id INTO room
    FROM public.chat_rooms r
    WHERE r.teacher_id = teacher AND r.student_id = student AND r.deleted_at IS NULL;
    IF FOUND THEN
        outcome := 'existing';
        RETURN;
    END IF;
    IF require_lesson AND NOT public.chatgate_pair_is_tied(teacher, student) THEN
        outcome := 'no_lesson';
        RETURN;
    END IF;
    PERFORM set_config('chatgate.room_way', 'lazy', true),
            set_config('chatgate.node', coalesce(node, ''), true);
    SELECT m.outcome, m.room INTO outcome, room
    FROM public.chatgate_make_room(teacher, student) m;
    PERFORM set_config('chatgate.room_way', '', true), set_config('chatgate.node', '', true);
    RAISE LOG 'chat: room % % on request', room, outcome;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_pair_is_tied(teacher uuid, student uuid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
RETURN EXISTS (
    SELECT
    FROM public.lessons l
    WHERE l.teacher_id = teacher AND l.student_id = student AND l.deleted_at IS NULL
) OR EXISTS (
    SELECT
    FROM public.bookings b
    JOIN public.lessons l ON l.id = b.lesson_id
    WHERE b.student_id = student AND b.deleted_at IS NULL AND b.status IN ('active', 'completed')
      AND l.teacher_id = teacher AND l.deleted_at IS NULL
);

-- Two statements, so that a mark that another device just moved is answered, not an older one.
CREATE OR REPLACE FUNCTION public.chatgate_read_mark(
    reader uuid, room uuid, wanted bigint, OUT seq bigint, OUT moved boolean, OUT peer uuid)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    room_head bigint;
BEGIN
    SELECT r.head, CASE WHEN r.teacher_id = reader THEN r.student_id ELSE r.teacher_id END
    INTO room_head, peer
    FROM public.chat_rooms r
    WHERE r.id = chatgate_read_mark.room AND r.deleted_at IS NULL
      AND reader IN (r.teacher_id, r.student_id);
    IF NOT FOUND THEN
        RETURN;
    END IF;

    wanted := least(wanted, room_head);
    moved := false;
    IF wanted > 0 THEN
        INSERT INTO public.chat_read_marks AS mark (room_id, user_id, seq)
        VALUES (chatgate_read_mark.room, reader, wanted)
        ON CONFLICT (room_id, user_id) DO UPDATE
        SET seq = excluded.seq, updated_at = clock_timestamp()
        WHERE mark.seq < excluded.seq;
        moved := FOUND;
    END IF;
    SELECT m.seq INTO seq
    FROM public.chat_read_marks m
    WHERE m.room_id = chatgate_read_mark.room AND m.user_id = reader;
    seq := coalesce(seq, 0);
    RETURN NEXT;
END
$$;

-- Number what has no number yet in a room: first the messages that became visible, in the order
-- in which they were written, then the removals. Rows come here that other programs delivered or
-- soft-deleted, and those from before the gateway. A soft-deleted row that never had a number gets
-- none. Locks the room first, like every writer; rows that another transaction holds are left to
-- that one. Returns how many rows it settled, at most p_limit.
CREATE OR REPLACE FUNCTION public.chatgate_settle_room(p_room uuid, p_limit integer DEFAULT 1000)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'utc';
    held uuid[];
    settled integer;
BEGIN
    PERFORM FROM public.chat_rooms r WHERE r.id = p_room FOR NO KEY UPDATE;
    held := ARRAY(
        SELECT m.id
        FROM public.messages m
        WHERE m.chat_room_id = p_room
          AND ((m.seq IS NULL AND m.status = 'delivered' AND m.deleted_at IS NULL)
               OR (m.seq IS NOT NULL AND m.removed_seq IS NULL
                   AND (m.deleted_at IS NOT NULL OR m.status <> 'delivered')))
        ORDER BY m.seq NULLS FIRST, m.created_at, m.id
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED);

    WITH numbered AS MATERIALIZED (
        SELECT m.id, m.seq IS NOT NULL AS gone, m.created_at,
               r.head + row_number() OVER (ORDER BY m.seq NULLS FIRST, m.created_at, m.id) AS number
        FROM public.messages m
        JOIN public.chat_rooms r ON r.id = p_room
        WHERE m.id = ANY (held)
    ), moved AS (
        UPDATE public.chat_rooms r
        SET head = h.head, last_message_at = greatest(r.last_message_at, h.last_message_at)
        FROM (
            SELECT max(n.number) AS head,
                   max(n.created_at) FILTER (WHERE NOT n.gone) AS last_message_at
            FROM numbered n
        ) h
        WHERE r.id = p_room AND h.head IS NOT NULL
    )
    UPDATE public.messages m
    SET seq = CASE WHEN n.gone THEN m.seq ELSE n.number END,
        removed_seq = CASE WHEN n.gone THEN n.number END,
        deleted_at = CASE WHEN n.gone THEN coalesce(m.deleted_at, utc_now) END,
        moderation_completed_at = coalesce(m.moderation_completed_at, m.created_at, utc_now)
    FROM numbered n
    WHERE m.id = n.id;
    GET DIAGNOSTICS settled = ROW_COUNT;
    RETURN settled;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_settle_rooms(
    p_limit integer, p_rows integer DEFAULT 1000)
RETURNS TABLE (room uuid, settled integer)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    -- Rooms in the order of their ids, as all who lock several.
    FOR room IN
        SELECT DISTINCT m.chat_room_id
        FROM public.messages m
        WHERE (m.seq IS NULL AND m.status = 'delivered' AND m.deleted_at IS NULL)
           OR (m.seq IS NOT NULL AND m.removed_seq IS NULL
               AND (m.deleted_at IS NOT NULL OR m.status <> 'delivered'))
        ORDER BY m.chat_room_id
        LIMIT p_limit
    LOOP
        settled := public.chatgate_settle_room(room, p_rows);
        RETURN NEXT;
    END LOOP;
END
$$;

-- All rooms, in transactions of some each: migration 070, and an operator after an import. Large
-- steps, because each step sorts all that is left of a room.
CREATE OR REPLACE PROCEDURE public.chatgate_settle_all(
    rooms_at_once integer DEFAULT 20, rows_of_each integer DEFAULT 50000)
LANGUAGE plpgsql
AS $$
DECLARE
    settled_rows bigint;
BEGIN
    LOOP
        SELECT coalesce(sum(s.settled), 0) INTO settled_rows
        FROM public.chatgate_settle_rooms(rooms_at_once, rows_of_each) s;
        COMMIT;
        EXIT WHEN settled_rows = 0;
    END LOOP;
END
$$;
