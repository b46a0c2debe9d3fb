-- SPDX-License-Identifier: Apache-2.0
-- What the gateway reads: rooms, history, resume, heads, own messages, read marks.
BEGIN;
SELECT no_plan();
\i :statements

SELECT t.person('teacher') AS teacher, t.person('student') AS student, t.person('moderator') AS moderator \gset
SELECT t.room(:'teacher', :'student') AS room, t.room(:'teacher') AS empty \gset

-- Ten messages: 1 to 10, of which 4 is held, then delivered as 10, and 2 is removed as 11.
SELECT count(w.seq) FROM generate_series(1, 10) i, LATERAL t.write(:'room', CASE WHEN i = 4 THEN 'pending_moderation' ELSE 'delivered' END,
                     CASE WHEN i % 2 = 0 THEN :'teacher'::uuid ELSE :'student'::uuid END, p_text => t.body(i)) w \gset
SELECT id AS held FROM messages WHERE chat_room_id = :'room' AND status = 'pending_moderation' \gset
SELECT id AS gone FROM messages WHERE chat_room_id = :'room' AND seq = 2 \gset
SELECT (t.decide(:'moderator', :'held', 'deliver')).seq AS late_seq, (t.remove(:'moderator', :'gone')).removed_seq \gset
SELECT is(:late_seq, 10, 'the late one has the last number');

-- events_after: every number once, in order, in one go.
CREATE FUNCTION pg_temp.after(p_rooms uuid[], p_after bigint[], p_limit integer)
RETURNS TABLE (room uuid, number bigint, kind text, id uuid, sender uuid, cid uuid, seq bigint,
               removed_seq bigint, text text, at_us bigint, delayed boolean)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('EXECUTE events_after(%L, %L, %s)', p_rooms, p_after, p_limit);
END $$;
CREATE TEMP TABLE events AS SELECT * FROM pg_temp.after(ARRAY[:'room']::uuid[], ARRAY[0], 100);
SELECT results_eq('SELECT number FROM events', 'SELECT generate_series(1, 11)::bigint', '1 to 11 without a hole');
SELECT ok(kind = 'message' AND text IS NULL AND removed_seq = 11 AND id = :'gone', 'a removed message keeps its number, without text')
FROM events WHERE number = 2;
SELECT ok(kind = 'removed' AND seq = 2 AND removed_seq = 11 AND text IS NULL AND id = :'gone', 'its removal has one of its own')
FROM events WHERE number = 11;
SELECT ok(kind = 'message' AND delayed AND text = t.body(4) AND sender = :'teacher', 'the late one says so') FROM events WHERE number = 10;
SELECT ok(bool_and(NOT delayed AND cid IS NOT NULL), 'the others don''t') FROM events WHERE number IN (1, 3, 4, 5, 6, 7, 8, 9);
SELECT results_eq(format('SELECT number FROM pg_temp.after(ARRAY[%L]::uuid[], ARRAY[8], 2)', :'room'),
                  'VALUES (9::bigint), (10)', 'from a number on, limited');
SELECT results_eq(format('SELECT number FROM pg_temp.after(ARRAY[%L]::uuid[], ARRAY[10], 2)', :'room'),
                  'VALUES (11::bigint)', 'the removal last');
SELECT is_empty(format('SELECT * FROM pg_temp.after(ARRAY[%L, %L]::uuid[], ARRAY[11, 0], 2)', :'room', :'empty'), 'nothing after the head');
SELECT t.room(:'teacher') AS other \gset
SELECT count(w.seq) FROM generate_series(1, 3) i, LATERAL t.write(:'other', p_text => t.body(i)) w \gset
SELECT results_eq(
    format('SELECT room, number FROM pg_temp.after(ARRAY[%L, %L]::uuid[], ARRAY[9, 1], 10)', :'room', :'other'),
    format('SELECT * FROM (VALUES (%1$L::uuid, 10::bigint), (%1$L, 11), (%2$L, 2), (%2$L, 3)) v ORDER BY 1, 2', :'room', :'other'),
    'several rooms, each from its own number');

-- history.
CREATE FUNCTION pg_temp.history(p_user uuid, p_room uuid, p_before bigint, p_after bigint, p_limit integer)
RETURNS TABLE (seq bigint, id uuid, sender uuid, cid uuid, text text, at_us bigint, delayed boolean,
               removed boolean, teacher uuid, student uuid)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('EXECUTE history(%L, %L, %L, %L, %L)', p_user, p_room, p_before, p_after, p_limit);
END $$;
SELECT results_eq(format('SELECT seq FROM pg_temp.history(%L, %L, NULL, NULL, 3)', :'student', :'room'),
                  'VALUES (10::bigint), (9), (8)', 'from the end, descending');
SELECT results_eq(format('SELECT seq FROM pg_temp.history(%L, %L, 3, NULL, 3)', :'student', :'room'),
                  'VALUES (2::bigint), (1)', 'before a number, descending');
SELECT results_eq(format('SELECT seq FROM pg_temp.history(%L, %L, NULL, 7, 2)', :'student', :'room'),
                  'VALUES (8::bigint), (9)', 'after a number, ascending');
SELECT results_eq(format('SELECT seq FROM pg_temp.history(%L, %L, 6, 3, 100)', :'student', :'room'),
                  'VALUES (4::bigint), (5)', 'between two');
SELECT ok(removed AND text IS NULL, 'a removed one has no text') FROM pg_temp.history(:'student', :'room', 3, 1, 1);
SELECT ok(bool_and((cid IS NOT NULL) = (sender = :'student')), 'cids of one''s own only')
FROM pg_temp.history(:'student', :'room', NULL, NULL, 100);
SELECT is_empty(format('SELECT * FROM pg_temp.history(%L, %L, NULL, NULL, 3)', :'moderator', :'room'), 'not for a stranger');
SELECT is_empty(format('EXECUTE member(%L, %L)', :'moderator', :'room'), 'who is no member');
SELECT results_eq(format('EXECUTE member(%L, %L)', :'student', :'room'),
                  format('VALUES (%L::uuid, %L::uuid, 11::bigint)', :'teacher', :'student'), 'a member is');

-- Read marks: never back, never past the head.
CREATE FUNCTION pg_temp.mark(p_user uuid, p_room uuid, p_seq bigint) RETURNS text
LANGUAGE sql AS $$
    SELECT format('%s %s', seq, moved) FROM public.chatgate_read_mark(p_user, p_room, p_seq)
$$;
SELECT is(pg_temp.mark(:'student', :'room', 0), '0 f', 'nothing read');
SELECT is(pg_temp.mark(:'student', :'room', -5), '0 f', 'nor less');
SELECT is(pg_temp.mark(:'student', :'room', 4), '4 t', 'moved');
SELECT is(pg_temp.mark(:'student', :'room', 4), '4 f', 'once');
SELECT is(pg_temp.mark(:'student', :'room', 3), '4 f', 'never back');
SELECT is(pg_temp.mark(:'teacher', :'room', 9223372036854775807), '11 t', 'never past the head');
SELECT is(pg_temp.mark(:'moderator', :'room', 4), NULL, 'not a stranger''s');
EXECUTE read_mark(:'student', :'room', 4) \gset mark_
SELECT is(:'mark_peer'::uuid, :'teacher'::uuid, 'names the peer');

-- The room list.
EXECUTE room_get(:'student', ARRAY[:'room', :'empty']::uuid[]) \gset r_
SELECT ok(:'r_room' = :'room' AND :r_head = 11 AND :r_read = 4 AND :r_peer_read = 11, 'one''s own room only, with both marks');
-- Above 4 the teacher wrote 6, 8, 10 as numbers 5, 7, 9, and 4 as number 10.
SELECT is(:r_unread, 4, 'unread: the peer''s, unremoved, above my mark');
SELECT ok(:'r_peer_id' = :'teacher' AND :'r_peer_role' = 'teacher' AND :'r_peer_first_name' = 'Teacher', 'the peer');
SELECT ok(:r_last_seq = 10 AND :'r_last_text' = t.body(4) AND :'r_last_removed' = 'f', 'the last message');
SELECT (t.remove(:'moderator', :'held')).removed_seq \gset
EXECUTE room_get(:'student', ARRAY[:'room']::uuid[]) \gset r_
SELECT ok(:r_last_seq = 10 AND NOT :{?r_last_text} AND :'r_last_removed' = 't' AND :r_unread = 3, 'removed: no text, not unread');
EXECUTE room_get(:'teacher', ARRAY[:'empty']::uuid[]) \gset e_
SELECT ok(NOT :{?e_last_mid} AND NOT :{?e_last_message_us} AND :e_unread = 0 AND :e_sort_us = :e_created_us, 'an empty room');

CREATE FUNCTION pg_temp.list(p_user uuid, p_us bigint, p_room uuid, p_limit integer)
RETURNS TABLE (place bigint, room uuid, sort_us bigint)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    place := 0;
    FOR r IN EXECUTE format('EXECUTE room_list(%L, %L, %L, %s)', p_user, p_us, p_room, p_limit) LOOP
        place := place + 1;
        room := r.room;
        sort_us := r.sort_us;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT results_eq(
    format('SELECT room FROM pg_temp.list(%L, NULL, NULL, 10)', :'teacher'),
    format('SELECT id FROM chat_rooms WHERE teacher_id = %L ORDER BY coalesce(last_message_at, created_at) DESC, id', :'teacher'),
    'the room that moved last first');
SELECT room AS r1, sort_us AS s1 FROM pg_temp.list(:'teacher', NULL, NULL, 1) \gset
SELECT results_eq(
    format('SELECT room FROM pg_temp.list(%L, %s, %L, 10)', :'teacher', :'s1', :'r1'),
    format('SELECT room FROM pg_temp.list(%L, NULL, NULL, 10) WHERE place > 1', :'teacher'),
    'the next page begins after the cursor');
UPDATE chat_rooms SET deleted_at = now() WHERE id = :'other';
SELECT is(count(*), 2::bigint, 'a closed room is in no list') FROM pg_temp.list(:'teacher', NULL, NULL, 10);
SELECT results_eq(
    format('EXECUTE rooms_of_user(%L)', :'student'),
    format('VALUES (%L::uuid, %L::uuid, %L::uuid, 12::bigint)', :'room', :'teacher', :'student'), 'rooms_of_user');

-- Heads.
SELECT gen_random_uuid() AS nowhere \gset
SELECT bag_eq(
    format('EXECUTE heads_moved(ARRAY[%L, %L, %L, %L]::uuid[], ARRAY[12, 5, 3, 0])', :'room', :'empty', :'other', :'nowhere'),
    format('VALUES (%L::uuid, 0::bigint, false), (%L, 3, true), (%L, 0, true)', :'empty', :'other', :'nowhere'),
    'heads_moved: what differs or closed');

-- Own messages without a place in history.
SELECT (t.write(:'room', 'pending_moderation', :'student')).id AS mine1 \gset
SELECT (t.write(:'room', 'blocked', :'student', p_reason => 'spam')).id AS mine2 \gset
SELECT (t.write(:'room', 'pending_moderation', :'student')).id AS mine3 \gset
SELECT (t.write(:'room', 'pending_moderation', :'teacher')).id AS theirs \gset
CREATE FUNCTION pg_temp.own(p_user uuid, p_since bigint) RETURNS TABLE (id uuid, status text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN EXECUTE format('EXECUTE own_since(%L, %L, 0, ''00000000-0000-0000-0000-000000000000'', 100)', p_user, p_since) LOOP
        RETURN QUERY SELECT r.id, r.status, r.reason;
    END LOOP;
END $$;
SELECT results_eq(
    format('SELECT id, status FROM pg_temp.own(%L, NULL)', :'student'),
    format($$VALUES (%L::uuid, 'pending_moderation'), (%L, 'pending_moderation')$$, :'mine1', :'mine3'), 'without a moment: what is pending');
SELECT results_eq(
    format('SELECT id, status, reason FROM pg_temp.own(%L, 0)', :'student'),
    format($$VALUES (%L::uuid, 'pending_moderation', NULL), (%L, 'blocked', 'spam'), (%L, 'pending_moderation', NULL)$$,
           :'mine1', :'mine2', :'mine3'), 'since a moment: what was decided too');
EXECUTE now \gset clock_
SELECT is_empty(format('SELECT * FROM pg_temp.own(%L, %s) WHERE status <> ''pending_moderation''', :'student', :'clock_now_us'), 'nothing decided since now');
SELECT (t.decide(:'moderator', :'mine3', 'deliver')).seq AS mine3_seq \gset
SELECT results_eq(
    format('SELECT id, status FROM pg_temp.own(%L, %s)', :'student', :'clock_now_us'),
    format($$VALUES (%L::uuid, 'pending_moderation'), (%L, 'delivered')$$, :'mine1', :'mine3'), 'then a late delivery');
EXECUTE messages_by_id(ARRAY[:'mine2']::uuid[]) \gset m_
SELECT ok(:'m_status' = 'blocked' AND :'m_reason' = 'spam' AND :m_version = 1 AND :'m_teacher' = :'teacher', 'messages_by_id');
CREATE TEMP TABLE changed (id uuid);
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN EXECUTE format('EXECUTE pending_changed(%L, 0)', (SELECT array_agg(id) FROM users)) LOOP
        INSERT INTO changed VALUES (r.id);
    END LOOP;
END $$;
SELECT bag_eq('SELECT id FROM changed',
              $$SELECT id FROM messages WHERE status <> 'delivered' OR delayed$$, 'pending_changed: what was held or decided, of all');

EXECUTE epoch \gset
SELECT matches(:'epoch'::text, '^[0-9]+-[0-9A-F]{8}-0$', 'the epoch');
INSERT INTO chatgate_settings (name, value) VALUES ('epoch', '1');
EXECUTE epoch \gset
SELECT matches(:'epoch'::text, '-1$', 'rises by the operator');

-- A room that was never marked as read.
SELECT t.room() AS long \gset
SELECT t.teacher(:'long') AS long_teacher, t.student(:'long') AS long_student \gset
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, moderation_completed_at,
                      created_at, text_hash, seq)
SELECT gen_random_uuid(), :'long', CASE WHEN n % 2 = 0 THEN :'long_teacher'::uuid ELSE :'long_student' END,
       'канарейка', 'delivered', now() AT TIME ZONE 'utc', now() AT TIME ZONE 'utc', '\x00', n
FROM generate_series(1, 2400) n;
UPDATE chat_rooms SET head = 2400 WHERE id = :'long';
EXECUTE room_get(:'long_teacher', ARRAY[:'long']::uuid[]) \gset l_
SELECT is(:l_unread, 1000, 'unread is counted up to 1,000');
EXECUTE room_list(:'long_teacher', NULL, NULL, 10) \gset l_
SELECT is(:l_unread, 1000, 'in a page of rooms too');
EXECUTE read_mark(:'long_teacher', :'long', 1000) \gset k_
EXECUTE room_get(:'long_teacher', ARRAY[:'long']::uuid[]) \gset l_
SELECT is(:l_unread, 700, 'and below it exactly');

SELECT * FROM finish();
ROLLBACK;
