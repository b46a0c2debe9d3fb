-- SPDX-License-Identifier: Apache-2.0
-- Get or create, and what nodes reread to learn of rooms.
BEGIN;
SELECT no_plan();
\i :statements

SELECT t.person('teacher') AS teacher, t.person('student') AS student, t.person('moderator') AS moderator,
       t.person('student') AS gone, gen_random_uuid() AS nobody \gset
UPDATE users SET deleted_at = now() WHERE id = :'gone';

SELECT is((chatgate_open_room(:'teacher', :'teacher', true, 'n')).outcome, 'same_user', 'oneself');
SELECT is((chatgate_open_room(:'teacher', :'nobody', true, 'n')).outcome, 'user_missing', 'nobody');
SELECT is((chatgate_open_room(:'teacher', :'gone', true, 'n')).outcome, 'user_missing', 'soft-deleted');
SELECT is((chatgate_open_room(:'teacher', :'moderator', true, 'n')).outcome, 'wrong_role', 'a moderator');
SELECT is((chatgate_open_room(:'student', t.person('student'), true, 'n')).outcome, 'wrong_role', 'two students');
SELECT is((chatgate_open_room(:'teacher', :'student', true, 'n')).outcome, 'no_lesson', 'no lesson between them');
SELECT is(count(*), 0::bigint, 'no room by any of these') FROM chat_rooms WHERE teacher_id = :'teacher';

-- What ties a pair.
INSERT INTO lessons (teacher_id, start_time) VALUES (:'teacher', now()) RETURNING id AS lesson \gset
INSERT INTO bookings (lesson_id, student_id, status) VALUES (:'lesson', :'student', 'cancelled')
RETURNING id AS booking \gset
SELECT ok(NOT chatgate_pair_is_tied(:'teacher', :'student'), 'a cancelled booking ties nobody');
UPDATE bookings SET status = 'completed' WHERE id = :'booking';
SELECT ok(chatgate_pair_is_tied(:'teacher', :'student'), 'a completed one does');
UPDATE bookings SET deleted_at = now() WHERE id = :'booking';
SELECT ok(NOT chatgate_pair_is_tied(:'teacher', :'student'), 'a soft-deleted one does not');
UPDATE lessons SET student_id = :'student' WHERE id = :'lesson';
SELECT ok(chatgate_pair_is_tied(:'teacher', :'student'), 'a lesson of the two does');
UPDATE lessons SET deleted_at = now() WHERE id = :'lesson';
SELECT ok(NOT chatgate_pair_is_tied(:'teacher', :'student'), 'a soft-deleted one does not');
UPDATE lessons SET deleted_at = NULL WHERE id = :'lesson';

EXECUTE room_open(:'student', :'teacher', true, 'node-9') \gset first_
SELECT is(:'first_outcome'::text, 'created', 'the student opens it');
EXECUTE room_open(:'teacher', :'student', true, 'node-9') \gset second_
SELECT is(:'second_outcome'::text, 'existing', 'the teacher finds it');
SELECT is(:'second_room'::uuid, :'first_room'::uuid, 'the same');
UPDATE lessons SET deleted_at = now() WHERE id = :'lesson';
SELECT is((chatgate_open_room(:'teacher', :'student', true, 'n')).outcome, 'existing',
          'a room that is there needs no lesson any more');
UPDATE chat_rooms SET deleted_at = now() WHERE id = :'first_room';
SELECT is((chatgate_open_room(:'teacher', :'student', true, 'n')).outcome, 'no_lesson', 'a closed one does');
SELECT is(chatgate_open_room(:'teacher', :'student', false, 'n'),
          ROW('revived'::text, :'first_room'::uuid)::record, 'unless that is lifted: the same room returns');

SELECT results_eq(
    format('SELECT change, way, coalesce(node, ''-'') FROM chat_room_changes WHERE room_id = %L ORDER BY id',
           :'first_room'),
    $$VALUES ('created', 'lazy', 'node-9'), ('closed', 'platform', '-'), ('revived', 'lazy', 'n')$$,
    'noted, with the way and the node');

-- rooms_changed sees each room once, as it is now.
SELECT array_agg(id) AS everybody FROM users \gset
EXECUTE rooms_changed(0, :'everybody') \gset changed_
SELECT is(:'changed_room'::uuid, :'first_room'::uuid, 'rooms_changed has the room, once');
SELECT is(:'changed_closed'::boolean, false, 'open');
UPDATE chat_rooms SET deleted_at = now() WHERE id = :'first_room';
EXECUTE rooms_changed(0, :'everybody') \gset changed_
SELECT is(:'changed_closed'::boolean, true, 'closed');
DELETE FROM chat_rooms WHERE id = :'first_room';
EXECUTE rooms_changed(0, :'everybody') \gset changed_
SELECT is(:'changed_closed'::boolean, true, 'deleted for good: closed too');
SELECT is_empty('EXECUTE rooms_changed(9000000000000000, ''{}'')', 'nothing in the future');

SELECT * FROM finish();
ROLLBACK;
