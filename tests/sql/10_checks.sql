-- SPDX-License-Identifier: Apache-2.0
-- The operators' checks, healthy and not; each is read from its file.
BEGIN;
SELECT no_plan();
\setenv CHECK_DIR :root
\set triggers `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/triggers.sql"`
\set functions `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/functions.sql"`
\set statistics `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/statistics.sql"`
\set candidates `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/candidates.sql"`
\set candidate_list `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/candidate_list.sql"`
\set duplicates `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/duplicates.sql"`
\set invalid_members `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/invalid_members.sql"`
\set bookings_without_lesson `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/bookings_without_lesson.sql"`
\set last_bookings `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/last_bookings.sql"`
\set rooms_today `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/rooms_today.sql"`
\set room_lag `sed '/^--/d; s/;$//' "$CHECK_DIR/sql/checks/room_lag.sql"`

CREATE FUNCTION pg_temp.one(p_query text, p_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    EXECUTE format('SELECT string_agg(q.state, '','') FROM (%s) q (name, ok, state, more) WHERE name = %L', p_query, p_name)
    INTO found;
    RETURN found;
END $$;

-- Healthy.
SELECT is_empty(format('SELECT * FROM (%s) q WHERE NOT ok', :'triggers'), 'both triggers are well');
SELECT is_empty(format('SELECT * FROM (%s) q WHERE NOT ok', :'functions'), 'all functions are well');
SELECT results_eq(:'candidates',
                  $$VALUES ('active bookings without a room', 0::bigint, 0::bigint),
                           ('completed lessons without a room', 0, 0)$$, 'no candidates');
SELECT is_empty(:'duplicates', 'no duplicates');
SELECT is_empty(:'invalid_members', 'no invalid members');
SELECT is_empty(:'bookings_without_lesson', 'no booking without lesson');
SELECT is_empty(:'candidate_list', 'nothing to list');
SELECT is_empty(:'last_bookings', 'no bookings');
SELECT is_empty(:'rooms_today', 'no rooms');

-- A lesson that is over, one ahead, one without an end; five bookings, two of them without room.
SELECT t.person('teacher') AS teacher, t.person('student') AS s1, t.person('student') AS s2,
       t.person('student') AS s3, gen_random_uuid() AS over, gen_random_uuid() AS ahead, gen_random_uuid() AS open \gset
INSERT INTO lessons (id, teacher_id, start_time, end_time)
VALUES (:'over', :'teacher', (now() AT TIME ZONE 'utc') - interval '3 h', (now() AT TIME ZONE 'utc') - interval '2 h'),
       (:'ahead', :'teacher', (now() AT TIME ZONE 'utc') + interval '3 h', (now() AT TIME ZONE 'utc') + interval '4 h'),
       (:'open', :'teacher', (now() AT TIME ZONE 'utc') - interval '1 h', NULL);
INSERT INTO bookings (lesson_id, student_id, status) VALUES (:'over', :'s1', 'active'), (:'over', :'s1', 'completed');
ALTER TABLE bookings DISABLE TRIGGER booking_create_chat;
INSERT INTO bookings (lesson_id, student_id, status)
VALUES (:'over', :'s2', 'active'), (:'ahead', :'s3', 'active'), (:'ahead', :'s2', 'cancelled');
SELECT (t.write(id)).seq FROM chat_rooms WHERE student_id = :'s1' \gset

SELECT is(pg_temp.one(:'triggers', 'booking_create_chat'), 'disabled', 'a disabled trigger is named');
DROP TRIGGER booking_create_chat ON bookings;
SELECT is(pg_temp.one(:'triggers', 'booking_create_chat'), 'missing', 'a missing one too');
DROP FUNCTION create_chats_for_active_bookings();
SELECT is(pg_temp.one(:'functions', 'create_chats_for_active_bookings'), 'missing', 'and a function');
ALTER FUNCTION create_chat_on_booking_active() SECURITY INVOKER;
SELECT is(pg_temp.one(:'functions', 'create_chat_on_booking_active'), 'unsafe', 'or one that lost its rights');
CREATE FUNCTION create_chat_after_lesson_completion() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT is(pg_temp.one(:'functions', 'create_chat_after_lesson_completion'), 'superseded', 'what is left of 049');
CREATE TRIGGER lesson_completion_create_chat AFTER UPDATE ON lessons
    FOR EACH ROW EXECUTE FUNCTION create_chat_after_lesson_completion();
SELECT is(pg_temp.one(:'triggers', 'lesson_completion_create_chat'), 'superseded', 'its trigger too');

SELECT results_eq(:'candidates',
                  $$VALUES ('active bookings without a room', 2::bigint, 2::bigint),
                           ('completed lessons without a room', 1, 1)$$, 'two bookings without a room, one lesson over');
SELECT results_eq(format('SELECT student FROM (%s) q ORDER BY student', :'candidate_list'),
                  format('SELECT unnest(ARRAY[%L, %L]::uuid[]) ORDER BY 1', :'s2', :'s3'), 'listed');
SELECT results_eq(:'statistics',
                  $$VALUES ('lessons', 3::bigint), ('completed lessons', 1), ('upcoming lessons', 1),
                           ('lessons without end time', 1), ('bookings active', 3), ('bookings cancelled', 1),
                           ('bookings completed', 1), ('active bookings', 3), ('rooms', 1),
                           ('rooms with messages', 1), ('empty rooms', 0)$$, 'the statistics');
SELECT results_eq(format('SELECT count(*), count(room) FROM (%s) q', :'last_bookings'),
                  'VALUES (5::bigint, 2::bigint)', 'the last bookings, with their rooms');
SELECT results_eq(format('SELECT student FROM (%s) q', :'rooms_today'), format('VALUES (%L::uuid)', :'s1'), 'today''s room');
SELECT results_eq(format('SELECT rooms, before_end, round(average_s / 60), round(maximum_s / 60), over_an_hour FROM (%s) q', :'room_lag'),
                  'VALUES (1::bigint, 0::bigint, 120::numeric, 120::numeric, 1::bigint)', 'it came two hours late');
UPDATE lessons SET deleted_at = now() WHERE id = :'ahead';
SELECT results_eq(format('SELECT student, problem FROM (%s) q', :'bookings_without_lesson'),
                  format($$VALUES (%L::uuid, 'lesson is deleted')$$, :'s3'), 'a booking without lesson');
UPDATE users SET role = 'teacher' WHERE id = :'s1';
SELECT results_eq(format('SELECT member, problem FROM (%s) q', :'invalid_members'),
                  $$VALUES ('student', 'role is teacher')$$, 'a member of another role');
ALTER TABLE chat_rooms DROP CONSTRAINT chat_rooms_teacher_id_student_id_key;
INSERT INTO chat_rooms (id, teacher_id, student_id) VALUES (gen_random_uuid(), :'teacher', :'s1');
SELECT results_eq(:'duplicates', format('VALUES (%L::uuid, %L::uuid, 2::bigint)', :'teacher', :'s1'), 'a duplicate, were there no constraint');

SELECT * FROM finish();
ROLLBACK;
