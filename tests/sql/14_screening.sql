-- SPDX-License-Identifier: Apache-2.0
-- A message is written only after the one that its screening saw; pending rows of other programs
-- are screened once, in their order.
BEGIN;
SELECT no_plan();
\i :statements

SELECT t.room() AS room, t.person('moderator') AS moderator,
       '00000000-0000-0000-0000-000000000000' AS nil \gset
SELECT t.student(:'room') AS student, teacher_id AS teacher FROM chat_rooms WHERE id = :'room' \gset

-- One batch: who says what, after which message.
CREATE FUNCTION t.batch(p_room uuid, p_sender uuid[], p_id uuid[], p_after uuid[],
                        p_status text DEFAULT 'delivered', p_cid uuid[] DEFAULT NULL)
RETURNS TABLE (ord integer, result text)
LANGUAGE sql AS $$
    SELECT w.ord, w.result
    FROM public.chatgate_write_messages(
        p_id, array_fill(p_room, ARRAY[cardinality(p_id)]), p_sender, coalesce(p_cid, p_id),
        array_fill('канарейка'::text, ARRAY[cardinality(p_id)]),
        array_fill(sha256('x'), ARRAY[cardinality(p_id)]),
        array_fill(p_status, ARRAY[cardinality(p_id)]),
        array_fill(NULL::text, ARRAY[cardinality(p_id)]),
        array_fill(NULL::jsonb, ARRAY[cardinality(p_id)]), 7, 'n', false, p_after) w
    ORDER BY w.ord
$$;
CREATE FUNCTION t.id(p_number integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('00000000-0000-7000-8000-' || lpad(p_number::text, 12, '0'))::uuid;

SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L, %L]::uuid[], ARRAY[t.id(1), t.id(2)], ARRAY[%L, t.id(1)])',
           :'room', :'student', :'student', :'nil'),
    $$VALUES ('new'), ('new')$$, 'messages of a batch name each other');
SELECT is(student_last, t.id(2), 'the room knows the last one') FROM chat_rooms WHERE id = :'room';
SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L, %L, %L]::uuid[], ARRAY[t.id(3), t.id(4), t.id(5)], ARRAY[t.id(1), t.id(3), %L])',
           :'room', :'student', :'student', :'teacher', :'nil'),
    $$VALUES ('stale'), ('stale'), ('new')$$, 'who missed one is stale, and who follows them; the other member is not');
SELECT is(count(*), 0::bigint, 'nothing of it is written') FROM messages WHERE id IN (t.id(3), t.id(4));
SELECT ok(student_last = t.id(2) AND teacher_last = t.id(5) AND head = 3, 'the room moved by what was')
FROM chat_rooms WHERE id = :'room';
SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L, %L]::uuid[], ARRAY[t.id(6), t.id(7)], ARRAY[%L, t.id(6)], ''delivered'', ARRAY[t.id(6), t.id(6)])',
           :'room', :'student', :'student', :'nil'),
    $$VALUES ('stale'), ('stale')$$, 'a resend beside it is stale too: there is no first one to point to');
SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L, %L]::uuid[], ARRAY[t.id(8), t.id(9)], ARRAY[t.id(2), %L])',
           :'room', :'student', :'student', :'nil'),
    $$VALUES ('new'), ('stale')$$, 'the first may be new where the second is stale');
SELECT is(student_last, t.id(8), 'the last one is the one that was written') FROM chat_rooms WHERE id = :'room';
SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L]::uuid[], ARRAY[t.id(10)], ARRAY[NULL]::uuid[], ''pending_moderation'')',
           :'room', :'student'),
    $$VALUES ('new')$$, 'NULL is not checked');
SELECT ok(student_last = t.id(10) AND head = 4, 'a held one is the last, and takes no number')
FROM chat_rooms WHERE id = :'room';
SELECT results_eq(
    format('SELECT result FROM t.batch(%L, ARRAY[%L]::uuid[], ARRAY[t.id(11)], ARRAY[t.id(1)], ''delivered'', ARRAY[t.id(1)])',
           :'room', :'student'),
    $$VALUES ('dup')$$, 'a resend is answered whatever it names');

-- Rows of other programs.
PREPARE waiting AS SELECT c.message_id FROM moderation_cases c WHERE c.rule_set IS NULL AND c.decided_at IS NULL;
CREATE FUNCTION t.screen(p_id uuid, p_status text, p_after uuid, p_version integer DEFAULT 1)
RETURNS text
LANGUAGE sql AS $$
    SELECT s.result
    FROM public.chatgate_screen(ARRAY[p_id], ARRAY[p_version], ARRAY[p_status],
                                ARRAY[CASE WHEN p_status <> 'delivered' THEN 'contact.phone' END],
                                ARRAY['{"rules": []}'::jsonb], ARRAY[p_after], ARRAY[7::bigint], 'n') s
$$;
SELECT t.foreign_message(:'room') AS p1, t.foreign_message(:'room') AS p2, t.foreign_message(:'room') AS p3 \gset
SELECT set_eq('waiting', ARRAY[:'p1', :'p2', :'p3']::uuid[], 'pending rows of other programs wait for the rules');
SELECT results_eq('EXECUTE unscreened(10)', format('SELECT id, chat_room_id, sender_id, version, message_text, chatgate_us(created_at) FROM messages WHERE id = %L', :'p1'), 'the oldest of each sender is next');
SELECT is(t.screen(:'p1', 'delivered', t.id(8)), 'stale', 'not after an older message');
SELECT is(t.screen(:'p1', 'delivered', t.id(10), 2), 'already_decided', 'not in another version');
SELECT is(t.screen(:'p1', 'delivered', t.id(10)), 'decided', 'delivered');
SELECT ok(m.status = 'delivered' AND m.seq = 5 AND m.version = 2 AND m.rule_set = 7, 'with its number, and the rule set')
FROM messages m WHERE m.id = :'p1';
SELECT is(t.screen(:'p1', 'blocked', t.id(10)), 'already_decided', 'once');
SELECT is(t.screen(:'p2', 'pending_moderation', :'p1'), 'held', 'held');
SELECT ok(m.status = 'pending_moderation' AND m.version = 1 AND m.verdict_reason = 'contact.phone' AND m.rule_set = 7
          AND c.rule_set = 7 AND c.detail IS NOT NULL AND c.decided_at IS NULL, 'a held one waits for a person, with what the rules found')
FROM messages m JOIN moderation_cases c ON c.message_id = m.id WHERE m.id = :'p2';
SELECT is(t.screen(:'p2', 'delivered', :'p1'), 'already_decided', 'is not screened again');
SELECT is(result, 'claimed', 'a moderator looks at one') FROM chatgate_claim(:'moderator', ARRAY[:'p3'::uuid], 60, 'n');
SELECT is(t.screen(:'p3', 'delivered', :'p2'), 'claimed', 'the rules leave it to them');
SELECT is(result, 'released', 'who gives it back') FROM chatgate_release(:'moderator', ARRAY[:'p3'::uuid], ARRAY[0::bigint], 'n');
SELECT is(t.screen(:'p3', 'blocked', :'p2'), 'decided', 'blocked');
SELECT ok(m.status = 'blocked' AND m.seq IS NULL AND c.decided_at IS NOT NULL, 'and its case is closed')
FROM messages m JOIN moderation_cases c ON c.message_id = m.id WHERE m.id = :'p3';
SELECT results_eq(
    format('SELECT action, from_status, to_status, version, rule_set, node FROM moderation_audit WHERE message_id IN (%L, %L, %L) ORDER BY id', :'p1', :'p2', :'p3'),
    $$VALUES ('screen', 'pending_moderation', 'delivered', 2, 7::bigint, 'n'), ('screen', 'pending_moderation', 'pending_moderation', 1, 7, 'n'),
             ('screen', 'pending_moderation', 'blocked', 2, 7, 'n')$$, 'one audit row each');
SELECT is_empty('waiting', 'none is left');
SELECT ok(student_last = :'p3' AND head = 5, 'the room moved') FROM chat_rooms WHERE id = :'room';

-- From before the triggers: no case.
ALTER TABLE messages DISABLE TRIGGER chatgate_message_inserted;
SELECT t.foreign_message(:'room') AS p4 \gset
ALTER TABLE messages ENABLE TRIGGER chatgate_message_inserted;
SELECT is_empty('waiting', 'an old row has no case');
SELECT is(chatgate_open_cases(10), 1::bigint, 'it gets one');
SELECT set_eq('waiting', ARRAY[:'p4']::uuid[], 'and is found');
SELECT is(chatgate_open_cases(10), 0::bigint, 'once');

-- What a message is screened with.
CREATE FUNCTION pg_temp.window_of(p_room uuid, p_sender uuid)
RETURNS TABLE (last uuid, role text, booked boolean, offences bigint, events bigint,
               created_us bigint, id uuid, other_room boolean, text text, at_us bigint)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('EXECUTE screening_window(%L, %L, 3)', p_room, p_sender);
END
$$;
SELECT t.person('teacher') AS tutor, t.person('student') AS pupil, t.person('student') AS other_pupil \gset
SELECT t.room(:'tutor', :'pupil') AS fresh, t.room(:'tutor', :'other_pupil') AS beside \gset
SELECT ok(last IS NULL AND role = 'student' AND NOT booked AND offences = 0 AND events = 0 AND created_us > 0 AND id IS NULL, 'of nobody who has spoken: one row')
FROM pg_temp.window_of(:'fresh', :'pupil');
SELECT is_empty(format('SELECT * FROM pg_temp.window_of(%L, %L)', :'fresh', :'other_pupil'), 'of who is no member: none');

SELECT count(w.id) FROM generate_series(1, 5) i, LATERAL t.write(:'fresh', CASE i WHEN 4 THEN 'blocked' WHEN 5 THEN 'pending_moderation' ELSE 'delivered' END, p_text => t.body(i)) w \gset
SELECT (t.write(:'fresh', p_sender => :'tutor', p_text => t.body(9))).id AS theirs, t.foreign_message(:'fresh') AS unseen \gset
SELECT results_eq(format('SELECT text FROM pg_temp.window_of(%L, %L)', :'fresh', :'pupil'),
    'SELECT t.body(i) FROM generate_series(5, 3, -1) i', 'the last of the sender, of whatever status, but what no rules have seen');
SELECT ok(bool_and(w.last = m.id AND w.offences = 1 AND w.events = 4), 'with the last one, what was blocked, and how much there was')
FROM pg_temp.window_of(:'fresh', :'pupil') w, messages m WHERE m.chat_room_id = :'fresh' AND m.message_text = t.body(5);

INSERT INTO lessons (teacher_id, student_id, start_time) VALUES (:'tutor', :'pupil', now()) RETURNING id AS lesson \gset
INSERT INTO bookings (lesson_id, student_id, status) VALUES (:'lesson', :'pupil', 'cancelled') RETURNING id AS booking \gset
SELECT ok(NOT bool_or(booked), 'a cancelled booking ties nobody') FROM pg_temp.window_of(:'fresh', :'pupil');
UPDATE bookings SET status = 'completed' WHERE id = :'booking';
SELECT ok(bool_and(booked), 'a completed one does') FROM pg_temp.window_of(:'fresh', :'tutor');

SELECT results_eq(format('SELECT text, other_room FROM pg_temp.window_of(%L, %L)', :'beside', :'tutor'),
    'SELECT t.body(9), true', 'what was said in another room is marked');
UPDATE chat_rooms SET last_message_at = last_message_at - interval '11 minutes' WHERE id = :'fresh';
SELECT ok(count(id) = 0, 'and left out after ten minutes') FROM pg_temp.window_of(:'beside', :'tutor');

SELECT * FROM finish();
ROLLBACK;
