-- SPDX-License-Identifier: Apache-2.0
-- What happens between connections. Commits, so it is not rolled back: the database is its own.
SELECT no_plan();

SELECT t.room() AS room, t.room() AS free, gen_random_uuid() AS cid, t.person('moderator') AS moderator \gset
SELECT * FROM t.write(:'room', p_cid => :'cid') \gset old_
SELECT id AS held FROM t.write(:'room', 'pending_moderation') \gset
SELECT t.connect('a'), t.connect('b') \gset

-- Busy: another writer holds the room.
SELECT dblink_exec('a', 'BEGIN');
SELECT is(result, 'new', 'one connection writes and does not commit yet')
FROM dblink('a', format('SELECT result FROM t.write(%L)', :'room')) AS x (result text);
SELECT is(result, 'busy', 'the other is told busy, at once') FROM t.write(:'room');
SELECT ok(result = 'dup' AND seq = :old_seq, 'an old cid is answered all the same')
FROM t.write(:'room', p_cid => :'cid');
SELECT is(result, 'new', 'and so is a room that nobody holds') FROM t.write(:'free');
SET lock_timeout = '100ms';
SELECT throws_ok(format('SELECT * FROM t.write(%L, p_wait => true)', :'room'), '55P03', NULL,
                 'who waits, waits lock_timeout only');
RESET lock_timeout;
SELECT is(dblink_send_query('b', format('SELECT result, seq FROM t.write(%L, p_wait => true)', :'room')), 1,
          'a third one waits');
SELECT pg_sleep(0.2);
SELECT is(dblink_is_busy('b'), 1, 'and waits');
SELECT dblink_exec('a', 'COMMIT');
SELECT results_eq($$SELECT * FROM dblink_get_result('b') AS x (result text, seq bigint)$$,
                  $$VALUES ('new', 3::bigint)$$,
                  'then writes with the next number: it read the head after the lock');
SELECT is_empty($$SELECT * FROM dblink_get_result('b') AS x (result text, seq bigint)$$, 'once');

-- The same cid from two nodes at once.
SELECT gen_random_uuid() AS twice \gset
SELECT dblink_exec('a', 'BEGIN');
SELECT is(result, 'new', 'the first of two')
FROM dblink('a', format('SELECT result FROM t.write(%L, p_cid => %L)', :'room', :'twice')) AS x (result text);
SELECT is(dblink_send_query('b', format('SELECT result, seq FROM t.write(%L, p_cid => %L, p_wait => true)',
                                        :'room', :'twice')), 1, 'the second waits');
SELECT dblink_exec('a', 'COMMIT');
SELECT results_eq($$SELECT * FROM dblink_get_result('b') AS x (result text, seq bigint)$$,
                  $$VALUES ('dup', 4::bigint)$$, 'and is a dup with the same number');
SELECT * FROM dblink_get_result('b') AS x (result text, seq bigint);

-- Two verdicts at once.
SELECT t.person('moderator') AS second \gset
SELECT dblink_exec('a', 'BEGIN');
SELECT is(result, 'decided', 'the first verdict')
FROM dblink('a', format('SELECT result FROM t.decide(%L, %L, ''deliver'', 1)', :'moderator', :'held')) AS x (result text);
SELECT is(dblink_send_query('b', format('SELECT result, status, seq, decided_by FROM t.decide(%L, %L, ''block'', 1)',
                                        :'second', :'held')), 1, 'the second waits');
SELECT pg_sleep(0.1);
SELECT dblink_exec('a', 'COMMIT');
SELECT results_eq(
    $$SELECT * FROM dblink_get_result('b') AS x (result text, status text, seq bigint, decided_by uuid)$$,
    format($$VALUES ('already_decided', 'delivered', 5::bigint, %L::uuid)$$, :'moderator'),
    'and is told the winner''s');
SELECT * FROM dblink_get_result('b') AS x (result text, status text, seq bigint, decided_by uuid);
SELECT is(count(*), 1::bigint, 'one audit row') FROM moderation_audit WHERE action = 'decide';

-- Another program's delivery meets a held room: its statement is neither refused nor slow, and the
-- sweep numbers the row.
SELECT t.foreign_message(:'room') AS theirs \gset
SELECT dblink_exec('a', 'BEGIN');
SELECT is(result, 'new', 'a writer holds the room')
FROM dblink('a', format('SELECT result FROM t.write(%L)', :'room')) AS x (result text);
SET client_min_messages = error;
SELECT lives_ok(format('UPDATE messages SET status = ''delivered'' WHERE id = %L', :'theirs'),
                'the platform delivers');
RESET client_min_messages;
SELECT dblink_exec('a', 'COMMIT');
SELECT ok(status = 'delivered' AND seq IS NULL, 'without a number yet') FROM messages WHERE id = :'theirs';
SELECT ok(m.version = 2 AND c.decided_at IS NOT NULL AND a.to_status = 'delivered', 'but as a transition, audited')
FROM messages m
JOIN moderation_cases c ON c.message_id = m.id
JOIN moderation_audit a ON a.message_id = m.id
WHERE m.id = :'theirs';
SELECT results_eq('SELECT * FROM chatgate_settle_rooms(10)', format('VALUES (%L::uuid, 1)', :'room'),
                  'the sweep gives it');
SELECT is(seq, 7::bigint, 'the next one') FROM messages WHERE id = :'theirs';
SELECT is_empty('SELECT * FROM chatgate_settle_rooms(10)', 'and has nothing left');

-- Two bookings of one pair, and a get-or-create, at once: one room, no error.
SELECT t.person('teacher') AS teacher, t.person('student') AS student \gset
INSERT INTO lessons (teacher_id, start_time) VALUES (:'teacher', now()) RETURNING id AS lesson \gset
SELECT dblink_exec('a', 'BEGIN');
SELECT dblink_exec('a', format('INSERT INTO bookings (lesson_id, student_id) VALUES (%L, %L)', :'lesson', :'student'));
SELECT is(dblink_send_query('b', format('INSERT INTO bookings (lesson_id, student_id) VALUES (%L, %L) RETURNING status',
                                        :'lesson', :'student')), 1, 'a second booking');
SELECT t.connect('c');
SELECT is(dblink_send_query('c', format('SELECT outcome FROM chatgate_open_room(%L, %L, false, ''n'')',
                                        :'teacher', :'student')), 1, 'and a get-or-create');
SELECT pg_sleep(0.1);
SELECT dblink_exec('a', 'COMMIT');
SELECT results_eq($$SELECT * FROM dblink_get_result('b') AS x (status text)$$, ARRAY['active'], 'the booking is made');
SELECT results_eq($$SELECT * FROM dblink_get_result('c') AS x (outcome text)$$, ARRAY['existing'], 'the room is found');
SELECT * FROM dblink_get_result('b') AS x (status text);
SELECT is(count(*), 1::bigint, 'one room') FROM chat_rooms WHERE teacher_id = :'teacher';
SELECT is(count(*), 0::bigint, 'no failure') FROM chat_room_changes WHERE change = 'failed';

-- A booking waits for nobody longer than its lock_timeout.
SELECT t.person('student') AS student2 \gset
SELECT dblink_exec('a', 'BEGIN');
SELECT dblink_exec('a', format('INSERT INTO chat_rooms (id, teacher_id, student_id) VALUES (gen_random_uuid(), %L, %L)',
                               :'teacher', :'student2'));
SELECT clock_timestamp() AS started \gset
SELECT lives_ok(format('INSERT INTO bookings (lesson_id, student_id) VALUES (%L, %L)', :'lesson', :'student2'),
                'a booking while somebody sits on its room');
SELECT cmp_ok(clock_timestamp() - :'started'::timestamptz, '<', interval '2 s', 'is not held up');
SELECT dblink_exec('a', 'ROLLBACK');
SELECT is(count(*), 1::bigint, 'the failure is counted') FROM chat_room_changes WHERE sqlstate = '55P03';
SELECT is(create_chats_for_active_bookings(), 1, 'and the backfill makes it good');

-- Numbers are read after the lock only in READ COMMITTED.
SELECT dblink_exec('a', 'BEGIN ISOLATION LEVEL REPEATABLE READ');
SELECT throws_ok(format('SELECT * FROM dblink(''a'', %L) AS x (result text)',
                        format('SELECT result FROM t.write(%L)', :'room')),
                 '25000', NULL, 'the writer refuses another isolation level');
SELECT dblink_exec('a', 'ROLLBACK');

-- Hints: ids only, and never from the gateway's own writes.
SELECT count(dblink_exec('a', 'LISTEN chatgate_hint')) \gset
SELECT t.foreign_message(:'room') AS hinted \gset
SELECT id AS quiet FROM t.write(:'room') \gset
SELECT * FROM t.decide(:'moderator', :'hinted', 'block') \gset x_
UPDATE users SET role = 'admin' WHERE id = :'second';
UPDATE messages SET deleted_at = now() WHERE id = :'quiet';
-- The listener is signalled after the commit; a statement of its own makes it look.
SELECT * FROM dblink('a', 'SELECT true FROM pg_sleep(0.5)') AS looked (yes boolean) \gset
SELECT bag_eq(
    $$SELECT extra FROM dblink_get_notify('a')$$,
    ARRAY['pending ' || :'hinted', 'access ' || :'second', 'message ' || :'room'],
    'a hint for each change of another program');

SELECT * FROM finish();
