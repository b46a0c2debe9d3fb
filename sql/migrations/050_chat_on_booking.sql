-- SPDX-License-Identifier: Apache-2.0
-- chatgate: no-transaction
-- A booking that becomes active makes its chat room; the rooms that are missing are made once.
--
-- The first two parts are DDL and short; the last makes the missing rooms in batches, each
-- committed by itself, so that no lock outlives one batch. All can be run again at any time. Supersedes
-- migration 049, whose trigger and trigger function are dropped.
--
-- What the trigger promises: a booking never fails, and never waits longer than its lock_timeout,
-- because of a chat. What goes wrong is logged with the word chat, counted in chat_room_changes,
-- and made good by the backfill.
SET lock_timeout = '2s';
SET client_min_messages = warning;

-- Every room made, revived or closed, and every failure to make one: what nodes reread to learn
-- of rooms, and what the metrics count by way. It grows with the rooms, not with the messages.
CREATE TABLE IF NOT EXISTS public.chat_room_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    change text NOT NULL, -- created, revived, closed, failed
    way text NOT NULL,    -- trigger, lazy, backfill, platform
    room_id uuid,
    teacher_id uuid,
    student_id uuid,
    node text,
    sqlstate text         -- of a failure
);
CREATE INDEX IF NOT EXISTS chat_room_changes_changed_at_idx
    ON public.chat_room_changes (changed_at);

-- Wake the nodes up. A hint says only what to reread; who misses it finds out by the sweep. It is
-- left out where it could fail the caller: when the queue fills up (a full one fails the COMMIT),
-- and where transactions may be prepared (one that has notified can't be).
CREATE OR REPLACE FUNCTION public.chatgate_hint(kind text, what text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF pg_notification_queue_usage() <= 0.5
       AND current_setting('max_prepared_transactions')::integer = 0 THEN
        PERFORM pg_notify('chatgate_hint', kind || ' ' || what);
    END IF;
END
$$;

-- Which way a room is being made, told by the functions below in a setting of their own.
CREATE OR REPLACE FUNCTION public.chatgate_room_way() RETURNS text
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('chatgate.room_way', true), ''), 'platform');

CREATE OR REPLACE FUNCTION public.chatgate_log_rooms_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.chat_room_changes (change, way, room_id, teacher_id, student_id, node)
    SELECT 'created', public.chatgate_room_way(), m.id, m.teacher_id, m.student_id,
           nullif(current_setting('chatgate.node', true), '')
    FROM made m;
    -- A backfill's many rooms are left to the sweep.
    PERFORM public.chatgate_hint('room', m.id::text) FROM (SELECT id FROM made LIMIT 16) m;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'chat: rooms made were not noted: % (%)', SQLERRM, SQLSTATE;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_log_room_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.chat_room_changes (change, way, room_id, teacher_id, student_id, node)
    VALUES (CASE WHEN TG_OP = 'UPDATE' AND NEW.deleted_at IS NULL THEN 'revived' ELSE 'closed' END,
            public.chatgate_room_way(), OLD.id, OLD.teacher_id, OLD.student_id,
            nullif(current_setting('chatgate.node', true), ''));
    PERFORM public.chatgate_hint('room', OLD.id::text);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'chat: a change of room % was not noted: % (%)', OLD.id, SQLERRM, SQLSTATE;
    RETURN NULL;
END
$$;

-- The one room of a pair: as it is, or back from its soft delete, or new. Any number of callers at
-- once get the same one; the second INSERT waits for the first one's end and then does nothing.
CREATE OR REPLACE FUNCTION public.chatgate_make_room(
    teacher uuid, student uuid, OUT room uuid, OUT outcome text)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'utc';
BEGIN
    outcome := 'existing';
    SELECT r.id INTO room
    FROM public.chat_rooms r
    WHERE r.teacher_id = teacher AND r.student_id = student AND r.deleted_at IS NULL;
    IF FOUND THEN
        RETURN;
    END IF;

    outcome := 'created';
    INSERT INTO public.chat_rooms (id, teacher_id, student_id, created_at, updated_at)
    VALUES (gen_random_uuid(), teacher, student, utc_now, utc_now)
    ON CONFLICT DO NOTHING
    RETURNING id INTO room;
    IF FOUND THEN
        RETURN;
    END IF;

    outcome := 'revived';
    UPDATE public.chat_rooms r
    SET deleted_at = NULL, updated_at = utc_now
    WHERE r.teacher_id = teacher AND r.student_id = student AND r.deleted_at IS NOT NULL
    RETURNING r.id INTO room;
    IF FOUND THEN
        RETURN;
    END IF;

    outcome := 'existing';
    SELECT r.id INTO room
    FROM public.chat_rooms r
    WHERE r.teacher_id = teacher AND r.student_id = student;
END
$$;

CREATE OR REPLACE FUNCTION public.create_chat_on_booking_active() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '500ms'
AS $$
DECLARE
    teacher uuid;
    made record;
BEGIN
    IF NEW.deleted_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- Both users are looked up although foreign keys guard them: a deferred key would fail the
    -- booking at its COMMIT, out of the reach of the handler below.
    SELECT l.teacher_id INTO teacher
    FROM public.lessons l
    JOIN public.users t ON t.id = l.teacher_id
    JOIN public.users s ON s.id = NEW.student_id
    WHERE l.id = NEW.lesson_id AND l.deleted_at IS NULL AND l.teacher_id <> NEW.student_id;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    -- Not by SET on the function: only a superuser may do that to a parameter of our own.
    PERFORM set_config('chatgate.room_way', 'trigger', true);
    made := public.chatgate_make_room(teacher, NEW.student_id);
    PERFORM set_config('chatgate.room_way', '', true);
    IF made.outcome <> 'existing' THEN
        RAISE LOG 'chat: room % % for booking %', made.room, made.outcome, NEW.id;
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'chat: no room for booking %: % (%)', NEW.id, SQLERRM, SQLSTATE;
    BEGIN
        INSERT INTO public.chat_room_changes (change, way, teacher_id, student_id, sqlstate)
        VALUES ('failed', 'trigger', teacher, NEW.student_id, SQLSTATE);
    EXCEPTION WHEN OTHERS THEN
        RAISE LOG 'chat: that failure was not counted: % (%)', SQLERRM, SQLSTATE;
    END;
    RETURN NEW;
END
$$;

-- The pairs of active bookings that have no room. only_completed: those whose lesson is over.
-- Hash joins, since a planner that still believes chat_rooms to be empty takes ten times longer.
CREATE OR REPLACE FUNCTION public.chatgate_missing_rooms(only_completed boolean)
RETURNS TABLE (teacher uuid, student uuid)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET enable_nestloop = off
SET work_mem = '64MB'
AS $$
    SELECT DISTINCT l.teacher_id, b.student_id
    FROM public.bookings b
    JOIN public.lessons l ON l.id = b.lesson_id
    JOIN public.users t ON t.id = l.teacher_id
    JOIN public.users s ON s.id = b.student_id
    WHERE b.status = 'active' AND b.deleted_at IS NULL AND l.deleted_at IS NULL
      AND l.teacher_id <> b.student_id
      AND (NOT only_completed OR l.end_time < now() AT TIME ZONE 'utc')
      AND NOT EXISTS (
          SELECT
          FROM public.chat_rooms r
          WHERE r.teacher_id = l.teacher_id AND r.student_id = b.student_id
            AND r.deleted_at IS NULL)
$$;

-- Make the rooms of these pairs, in the order given: the callers sort them, so that two backfills
-- at once lock in one order and the pairs' index is written page by page. Returns how many it
-- really made or revived.
CREATE OR REPLACE FUNCTION public.chatgate_make_rooms(teachers uuid[], students uuid[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'utc';
    made integer;
BEGIN
    PERFORM set_config('chatgate.room_way', 'backfill', true);
    INSERT INTO public.chat_rooms (id, teacher_id, student_id, created_at, updated_at)
    SELECT gen_random_uuid(), pair.teacher, pair.student, utc_now, utc_now
    FROM unnest(teachers, students) AS pair (teacher, student)
    ON CONFLICT (teacher_id, student_id) DO UPDATE
    SET deleted_at = NULL, updated_at = excluded.updated_at
    WHERE chat_rooms.deleted_at IS NOT NULL;
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM set_config('chatgate.room_way', '', true);
    IF made > 0 THEN
        RAISE LOG 'chat: backfill made % rooms', made;
    END IF;
    RETURN made;
END
$$;

-- The general backfill, in the caller's transaction. Returns the rooms that it made or revived.
-- Both backfills are dropped first: 049's may have another type.
DROP FUNCTION IF EXISTS public.create_chats_for_active_bookings();
CREATE FUNCTION public.create_chats_for_active_bookings() RETURNS integer
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT public.chatgate_make_rooms(array_agg(m.teacher ORDER BY m.teacher, m.student),
                                      array_agg(m.student ORDER BY m.teacher, m.student))
    FROM public.chatgate_missing_rooms(false) m
$$;

-- The same for lessons that are over.
DROP FUNCTION IF EXISTS public.create_chats_for_completed_lessons();
CREATE FUNCTION public.create_chats_for_completed_lessons() RETURNS integer
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT public.chatgate_make_rooms(array_agg(m.teacher ORDER BY m.teacher, m.student),
                                      array_agg(m.student ORDER BY m.teacher, m.student))
    FROM public.chatgate_missing_rooms(true) m
$$;

-- The backfill of a running platform: the missing pairs are read once, without a lock, and made in
-- transactions of one batch each. Can be stopped anywhere and called again. Tells its progress by
-- NOTICE, "chat backfill: 4000 of 200000".
CREATE OR REPLACE PROCEDURE public.chatgate_backfill_rooms(batch integer DEFAULT 2000)
LANGUAGE plpgsql
AS $$
DECLARE
    teachers uuid[];
    students uuid[];
    total integer;
BEGIN
    SELECT array_agg(m.teacher ORDER BY m.teacher, m.student),
           array_agg(m.student ORDER BY m.teacher, m.student)
    INTO teachers, students
    FROM public.chatgate_missing_rooms(false) m;
    total := coalesce(cardinality(teachers), 0);
    COMMIT;
    FOR at IN 1..total BY batch LOOP
        PERFORM public.chatgate_make_rooms(teachers[at:at + batch - 1],
                                           students[at:at + batch - 1]);
        COMMIT;
        RAISE NOTICE 'chat backfill: % of %', least(at + batch - 1, total), total;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION public.create_chat_on_booking_active() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.chatgate_log_rooms_made() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.chatgate_log_room_moved() FROM PUBLIC;

CREATE OR REPLACE TRIGGER chatgate_rooms_made
    AFTER INSERT ON public.chat_rooms REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION public.chatgate_log_rooms_made();
CREATE OR REPLACE TRIGGER chatgate_room_moved
    AFTER UPDATE OF deleted_at ON public.chat_rooms
    FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))
    EXECUTE FUNCTION public.chatgate_log_room_moved();
CREATE OR REPLACE TRIGGER chatgate_room_gone
    AFTER DELETE ON public.chat_rooms
    FOR EACH ROW EXECUTE FUNCTION public.chatgate_log_room_moved();

-- chatgate: next
-- The new triggers, then 049's away. A lock that is waited for makes all bookings behind it wait
-- too, so each try waits a tenth of a second only, and lets the others pass before the next.
DO $$
DECLARE
    old record;
BEGIN
    SET LOCAL lock_timeout = '100ms';
    -- Locks are held until the commit is on disk, which a busy one takes its time for; not this one.
    -- Whatever is committed next takes it along.
    SET LOCAL synchronous_commit = off;
    FOR attempt IN 1..100 LOOP
        BEGIN
            CREATE OR REPLACE TRIGGER booking_create_chat
                BEFORE INSERT ON public.bookings
                FOR EACH ROW WHEN (NEW.status = 'active')
                EXECUTE FUNCTION public.create_chat_on_booking_active();
            CREATE OR REPLACE TRIGGER booking_create_chat_update
                BEFORE UPDATE ON public.bookings
                FOR EACH ROW WHEN (NEW.status = 'active' AND OLD.status IS DISTINCT FROM NEW.status)
                EXECUTE FUNCTION public.create_chat_on_booking_active();
            FOR old IN
                SELECT t.tgname, t.tgrelid::regclass AS relation
                FROM pg_trigger t
                JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE NOT t.tgisinternal
                  AND (t.tgname = 'lesson_completion_create_chat'
                       OR p.proname = 'create_chat_after_lesson_completion')
            LOOP
                EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, old.relation);
            END LOOP;
            FOR old IN
                SELECT p.oid::regprocedure AS signature
                FROM pg_proc p
                WHERE p.proname = 'create_chat_after_lesson_completion'
                  AND p.pronamespace = 'public'::regnamespace
            LOOP
                EXECUTE format('DROP FUNCTION %s', old.signature);
            END LOOP;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
END
$$;

-- chatgate: next
CALL public.chatgate_backfill_rooms();
