-- SPDX-License-Identifier: Apache-2.0
-- The gateway as a role of its own, with the rights that README.md names and no more.
BEGIN;
SELECT no_plan();

SELECT t.room() AS room, t.person('moderator') AS moderator, t.person('teacher') AS teacher, t.person('student') AS student \gset
GRANT USAGE ON SCHEMA t TO stranger;
\setenv CHECK_DIR :root
\set grants `sed -n '/^GRANT/,/^[^ G]/{s/chatgate_role/stranger/g;/^[ G]/p}' "$CHECK_DIR/sql/README.md"`
:grants
SET LOCAL ROLE stranger;
\i :statements

SELECT is(result, 'new', 'writes') FROM t.write(:'room', 'pending_moderation', p_reason => 'x');
SELECT id AS held FROM messages WHERE status = 'pending_moderation' \gset
SELECT is(result, 'claimed', 'claims') FROM chatgate_claim(:'moderator', ARRAY[:'held']::uuid[], 60, 'n');
SELECT is(result, 'decided', 'decides') FROM t.decide(:'moderator', :'held', 'deliver');
SELECT is(result, 'undone', 'undoes') FROM t.undo(:'moderator', :'held');
SELECT is((chatgate_open_room(:'teacher', :'student', false, 'n')).outcome, 'created', 'opens rooms');
SELECT is(count(*), 1::bigint, 'which are noted') FROM chat_room_changes WHERE way = 'lazy';
SELECT ok((chatgate_read_mark(t.student(:'room'), :'room', 1)).moved, 'moves marks');
SELECT lives_ok($$SELECT * FROM chatgate_settle_rooms(1)$$, 'sweeps');
SELECT lives_ok(format('EXECUTE user_restrict(%L, NULL, NULL, NULL, ''n'')', :'student'), 'restricts');
SELECT lives_ok($$EXECUTE user_upsert(NULL, 'new@example.test', 'A', 'B', 'student', 'h')$$, 'adds users');
SELECT lives_ok($$EXECUTE user_set_password('new@example.test', 'h')$$, 'sets passwords');
SELECT lives_ok($$EXECUTE rules_store('[{"id": "a", "text": "rule a"}]', NULL, NULL, 'n', 0)$$, 'stores rules');
SELECT lives_ok('EXECUTE epoch', 'knows the epoch');
SELECT lives_ok(format('EXECUTE room_list(%L, NULL, NULL, 10)', :'student'), 'lists rooms');
SELECT lives_ok(format('EXECUTE queue_page(NULL, NULL, 10, %L)', :'moderator'), 'pages the queue');
SELECT lives_ok('EXECUTE queue_stats(0)', 'counts verdicts');
SELECT throws_ok('DELETE FROM messages', '42501', NULL, 'deletes nothing');
SELECT throws_ok('DELETE FROM bookings', '42501', NULL, 'nor of the platform''s');
SELECT throws_ok('UPDATE lessons SET teacher_id = NULL', '42501', NULL, 'nor changes it');

SELECT * FROM finish();
ROLLBACK;
