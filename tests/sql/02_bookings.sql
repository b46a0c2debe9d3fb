-- SPDX-License-Identifier: Apache-2.0
-- Rooms from bookings: both triggers, the backfills, and that nothing makes a booking fail.
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.lesson(p_teacher uuid, p_end interval DEFAULT '1 day') RETURNS uuid
LANGUAGE sql AS $$
    INSERT INTO public.lessons (id, teacher_id, start_time, end_time)
    VALUES (gen_random_uuid(), p_teacher, now() AT TIME ZONE 'utc' + p_end - interval '1 hour',
            now() AT TIME ZONE 'utc' + p_end)
    RETURNING id
$$;
CREATE FUNCTION pg_temp.book(p_lesson uuid, p_student uuid, p_status text DEFAULT 'active') RETURNS uuid
LANGUAGE sql AS $$
    INSERT INTO public.bookings (id, lesson_id, student_id, status)
    VALUES (gen_random_uuid(), p_lesson, p_student, p_status)
    RETURNING id
$$;
CREATE FUNCTION pg_temp.rooms(p_teacher uuid, p_student uuid) RETURNS bigint
LANGUAGE sql AS $$
    SELECT count(*) FROM public.chat_rooms
    WHERE teacher_id = p_teacher AND student_id = p_student AND deleted_at IS NULL
$$;

SELECT t.person('teacher') AS teacher, t.person('student') AS student \gset
SELECT pg_temp.lesson(:'teacher') AS lesson \gset

-- Becoming active.
SELECT pg_temp.book(:'lesson', :'student', 'completed') AS booking \gset
SELECT is(pg_temp.rooms(:'teacher', :'student'), 0::bigint, 'a completed booking makes no room');
UPDATE bookings SET status = 'active' WHERE id = :'booking';
SELECT is(pg_temp.rooms(:'teacher', :'student'), 1::bigint, 'one that becomes active does');
SELECT is(way, 'trigger', 'by the trigger') FROM chat_room_changes WHERE teacher_id = :'teacher';
SELECT cmp_ok(abs(extract(epoch FROM created_at - clock_timestamp() AT TIME ZONE 'utc')), '<', 60::numeric,
              'created_at is UTC, whatever the server''s zone')
FROM chat_rooms WHERE teacher_id = :'teacher';
UPDATE bookings SET updated_at = now() WHERE id = :'booking';
SELECT pg_temp.book(:'lesson', :'student');
SELECT is(count(*), 1::bigint, 'a second booking finds the room')
FROM chat_rooms WHERE teacher_id = :'teacher';

-- A soft-deleted room comes back and stays the same.
SELECT id AS room FROM chat_rooms WHERE teacher_id = :'teacher' \gset
UPDATE chat_rooms SET deleted_at = now() WHERE id = :'room';
UPDATE bookings SET status = 'cancelled' WHERE id = :'booking';
SELECT is(pg_temp.rooms(:'teacher', :'student'), 0::bigint, 'closed, and a cancelled booking leaves it so');
UPDATE bookings SET status = 'active' WHERE id = :'booking';
SELECT is(id, :'room', 'the same room comes back')
FROM chat_rooms WHERE teacher_id = :'teacher' AND deleted_at IS NULL;
SELECT results_eq(
    format('SELECT change FROM chat_room_changes WHERE room_id = %L ORDER BY id', :'room'),
    ARRAY['created', 'closed', 'revived'], 'each change is noted');

-- No room, and no error.
SELECT t.person('student') AS other \gset
SELECT pg_temp.lesson(NULL) AS no_teacher, pg_temp.lesson(:'other') AS own,
       pg_temp.lesson(:'teacher') AS gone \gset
UPDATE lessons SET deleted_at = now() WHERE id = :'gone';
SELECT lives_ok(format('SELECT pg_temp.book(%L, %L)', :'no_teacher', :'other'), 'a lesson without teacher');
SELECT lives_ok(format('SELECT pg_temp.book(%L, %L)', :'own', :'other'), 'teacher and student the same');
SELECT lives_ok(format('SELECT pg_temp.book(%L, %L)', :'gone', :'other'), 'a soft-deleted lesson');
INSERT INTO bookings (lesson_id, student_id, deleted_at) VALUES (:'lesson', :'other', now());
SELECT is(count(*), 0::bigint, 'none of these makes a room')
FROM chat_rooms WHERE :'other' IN (teacher_id, student_id);

-- Many at once.
INSERT INTO bookings (lesson_id, student_id)
SELECT :'lesson', t.person('student') FROM generate_series(1, 50);
SELECT is(count(*), 51::bigint, 'a row each of a statement''s many')
FROM chat_rooms WHERE teacher_id = :'teacher';
SELECT is(count(*), 51::bigint, 'all of them noted')
FROM chat_room_changes WHERE teacher_id = :'teacher' AND change = 'created';

-- A failure never reaches the booking; it is counted.
SELECT pg_temp.lesson(:'teacher') AS lesson2, t.person('student') AS unlucky \gset
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disk on fire' USING ERRCODE = '58030';
END $$;
CREATE TRIGGER fail BEFORE INSERT ON chat_rooms FOR EACH ROW EXECUTE FUNCTION pg_temp.fail();
SELECT lives_ok(format('SELECT pg_temp.book(%L, %L)', :'lesson2', :'unlucky'), 'a booking survives our failure');
SELECT is(count(*), 1::bigint, 'and is there') FROM bookings WHERE student_id = :'unlucky';
SELECT results_eq(
    format('SELECT change, way, sqlstate FROM chat_room_changes WHERE student_id = %L', :'unlucky'),
    $$VALUES ('failed', 'trigger', '58030')$$, 'the failure is counted');
DROP TRIGGER fail ON chat_rooms;

-- The platform's role needs no right on chat_rooms.
GRANT INSERT, SELECT ON bookings TO stranger;
SELECT t.person('student') AS guest \gset
SET LOCAL ROLE stranger;
INSERT INTO bookings (lesson_id, student_id, status) VALUES (:'lesson', :'guest', 'active');
RESET ROLE;
SELECT is(pg_temp.rooms(:'teacher', :'guest'), 1::bigint, 'a role without rights on rooms books and gets one');

-- Backfills count what they really made or revived.
SELECT is(create_chats_for_active_bookings(), 1, 'the backfill makes the one that failed');
SELECT is(create_chats_for_active_bookings(), 0, 'and then nothing');
ALTER TABLE bookings DISABLE TRIGGER USER;
SELECT t.person('teacher') AS late_teacher, t.person('student') AS a, t.person('student') AS b,
       t.person('student') AS c \gset
SELECT pg_temp.lesson(:'late_teacher', '-1 day') AS over, pg_temp.lesson(:'late_teacher') AS ahead \gset
SELECT pg_temp.book(:'over', :'a'), pg_temp.book(:'over', :'a'), pg_temp.book(:'ahead', :'b'),
       pg_temp.book(:'over', :'c', 'cancelled');
ALTER TABLE bookings ENABLE TRIGGER USER;
SELECT is(create_chats_for_completed_lessons(), 1, 'completed lessons only: two bookings, one room');
SELECT is(pg_temp.rooms(:'late_teacher', :'a'), 1::bigint, 'of that pair');
UPDATE chat_rooms SET deleted_at = now() WHERE teacher_id = :'late_teacher';
SELECT is(create_chats_for_active_bookings(), 2, 'one revived, one made');
SELECT is(count(*), 2::bigint, 'none for a cancelled booking')
FROM chat_rooms WHERE teacher_id = :'late_teacher';
SELECT is(way, 'backfill', 'noted as a backfill''s') FROM chat_room_changes WHERE student_id = :'b';

-- The pairs that a backfill would make, each once.
ALTER TABLE bookings DISABLE TRIGGER USER;
INSERT INTO bookings (lesson_id, student_id)
SELECT :'ahead', s FROM (SELECT t.person('student') AS s FROM generate_series(1, 25)) x, generate_series(1, 2);
ALTER TABLE bookings ENABLE TRIGGER USER;
SELECT is(count(*), 25::bigint, 'fifty bookings, twenty-five rooms missing') FROM chatgate_missing_rooms(false);
SELECT is(create_chats_for_active_bookings(), 25, 'made');

SELECT * FROM finish();
ROLLBACK;
