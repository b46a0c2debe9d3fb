-- SPDX-License-Identifier: Apache-2.0
-- What the metrics count from: each change once, however late its transaction ends; and the census.
-- Commits, since a slice ends before the oldest open transaction.
SELECT no_plan();
\i :statements
SELECT t.connect('late') \gset
SELECT t.person('teacher') AS teacher, t.person('student') AS early, t.person('student') AS late,
       t.person('student') AS unlucky \gset
INSERT INTO lessons (teacher_id, start_time, end_time)
VALUES (:'teacher', now(), now() AT TIME ZONE 'utc' - interval '1 h') RETURNING id AS lesson \gset

EXECUTE room_changes(NULL, 0, 100, 10) \gset
SELECT is(:changes, 0, 'the first slice is empty and tells where to begin');

-- One transaction begins first and ends last.
SELECT dblink_exec('late', 'BEGIN');
SELECT dblink_exec('late', format('INSERT INTO bookings (lesson_id, student_id) VALUES (%L, %L)',
                                  :'lesson', :'late'));
INSERT INTO bookings (lesson_id, student_id) VALUES (:'lesson', :'early');
EXECUTE room_changes(:next_xid, :next_id, 100, 10) \gset
SELECT is(:changes, 0, 'what is newer than an open transaction waits for it');
SELECT dblink_exec('late', 'COMMIT');
CREATE TABLE t.seen AS EXECUTE room_changes(:next_xid, :next_id, 100, 10);
SELECT is(sum(changes), 2::numeric, 'then both are counted') FROM t.seen
WHERE change = 'created' AND way = 'trigger';
SELECT ok(bool_and(after_booking_us BETWEEN 0 AND 60000000), 'in time for their booking') FROM t.seen;
SELECT ok(bool_and(after_lesson_us BETWEEN 3600000000 AND 3660000000), 'an hour after the lesson') FROM t.seen;
SELECT next_xid, next_id FROM t.seen LIMIT 1 \gset
EXECUTE room_changes(:next_xid, :next_id, 100, 10) \gset
SELECT is(:changes, 0, 'once');

-- A slice that is full ends within a transaction.
UPDATE chat_rooms SET deleted_at = now() WHERE teacher_id = :'teacher';
SELECT create_chats_for_active_bookings();
CREATE TABLE t.first AS EXECUTE room_changes(:next_xid, :next_id, 3, 10);
SELECT is(sum(changes), 3::numeric, 'no more than asked for') FROM t.first;
SELECT next_xid, next_id FROM t.first LIMIT 1 \gset
CREATE TABLE t.rest AS EXECUTE room_changes(:next_xid, :next_id, 3, 10);
SELECT results_eq(
    'SELECT change, way, sum(changes) FROM (SELECT * FROM t.first UNION ALL SELECT * FROM t.rest) x GROUP BY 1, 2 ORDER BY 1',
    $$VALUES ('closed', 'platform', 2::numeric), ('revived', 'backfill', 2)$$,
    'the next one goes on there');
SELECT ok(bool_and(after_booking_us IS NULL), 'a room that came back was not late') FROM t.rest;

-- A failure, with its reason; a room of no booking; a slice that looks nothing up.
SELECT next_xid, next_id FROM t.rest LIMIT 1 \gset
SELECT dblink_exec('late', 'BEGIN');
SELECT dblink_exec('late', format('INSERT INTO chat_rooms (id, teacher_id, student_id) VALUES (gen_random_uuid(), %L, %L)',
                                  :'teacher', :'unlucky'));
INSERT INTO bookings (lesson_id, student_id) VALUES (:'lesson', :'unlucky');
SELECT dblink_exec('late', 'COMMIT');
SELECT t.room();
CREATE TABLE t.third AS EXECUTE room_changes(:next_xid, :next_id, 100, 0);
SELECT results_eq('SELECT change, way, sqlstate, changes FROM t.third ORDER BY 1, 2, 3',
                  $$VALUES ('created', 'platform', NULL, 2::bigint), ('failed', 'trigger', '55P03', 1)$$,
                  'failures have a reason');
SELECT ok(bool_and(after_booking_us IS NULL AND after_lesson_us IS NULL), 'nothing is looked up') FROM t.third;

-- A database with another history.
EXECUTE room_changes(9000000000000000, 0, 100, 10) \gset
SELECT ok(:changes = 0 AND :next_xid < 9000000000000000, 'one that has lost its place begins anew');

-- The census: one row, the newest.
SELECT is(count(*), 1::bigint, 'the migration took one') FROM chat_room_census;
SELECT chatgate_take_census(7) \gset
EXECUTE room_census \gset
SELECT is(:active_bookings, 3, 'active bookings');
SELECT is(:rooms, 4, 'rooms');
SELECT is(:missing, 7, 'and what was missing');
SELECT cmp_ok(abs(:taken_us - chatgate_us(clock_timestamp())), '<', 60000000::bigint, 'now');
SELECT throws_ok('INSERT INTO chat_room_census VALUES (false, now(), 0, 0, 0)', '23514', NULL, 'never two');

-- Cheap: by the index, however much is there.
SET enable_seqscan = off;
CREATE FUNCTION t.plan(p_statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN ' || p_statement;
END $$;
SELECT matches(string_agg(line, ' '), 'chat_room_changes_xid_idx', 'by its index')
FROM t.plan(format('EXECUTE room_changes(%s, 0, 100, 10)', :next_xid)) AS line;

SELECT * FROM finish();
