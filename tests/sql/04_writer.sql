-- SPDX-License-Identifier: Apache-2.0
-- chatgate_write_messages: every answer, numbers in input order, nothing twice.
BEGIN;
SELECT no_plan();

SELECT t.room() AS room, t.room() AS room2, gen_random_uuid() AS cid, gen_random_uuid() AS cid2 \gset
SELECT t.student(:'room') AS student, t.teacher(:'room') AS teacher, t.student(:'room2') AS student2 \gset

-- One.
SELECT * FROM t.write(:'room', p_cid => :'cid') \gset w_
SELECT is(:'w_result'::text, 'new', 'a new message');
SELECT is(:w_seq, 1, 'has number 1');
SELECT is(:'w_status'::text, 'delivered', 'is delivered');
SELECT is(:'w_teacher'::uuid, :'teacher'::uuid, 'names the teacher');
SELECT is(:'w_student'::uuid, :'student'::uuid, 'and the student');
SELECT ok(m.status = 'delivered' AND m.moderation_completed_at IS NOT NULL AND m.seq = 1
          AND m.version = 1 AND NOT m.delayed AND m.cid = :'cid' AND m.rule_set = 7, 'the row is whole')
FROM messages m WHERE m.id = :'w_id';
SELECT is(chatgate_us(created_at), :w_at_us, 'at is created_at') FROM messages WHERE id = :'w_id';
SELECT cmp_ok(abs(extract(epoch FROM created_at - clock_timestamp() AT TIME ZONE 'utc')), '<', 60::numeric,
              'created_at is UTC') FROM messages WHERE id = :'w_id';
SELECT ok(r.head = 1 AND r.last_message_at = m.created_at, 'the room moved on')
FROM chat_rooms r, messages m WHERE r.id = :'room' AND m.id = :'w_id';
SELECT is(count(*), 0::bigint, 'a plain delivery is not audited') FROM moderation_audit;
SELECT is(count(*), 0::bigint, 'and no case') FROM moderation_cases;

-- Again.
SELECT * FROM t.write(:'room', p_cid => :'cid') \gset d_
SELECT is(:'d_result'::text, 'dup', 'the same cid is a dup');
SELECT is(:'d_id'::uuid, :'w_id'::uuid, 'of the original');
SELECT is(:d_seq, 1, 'with its number');
SELECT is(:d_at_us, :w_at_us, 'and its time');
SELECT is(result, 'cid_conflict', 'with another text it is a conflict')
FROM t.write(:'room', p_cid => :'cid', p_text => 'другая канарейка');
SELECT is(result, 'new', 'another sender''s same cid is another message')
FROM t.write(:'room', p_cid => :'cid', p_sender => :'teacher');
SELECT is(result, 'new', 'and in another room') FROM t.write(:'room2', p_cid => :'cid');
UPDATE messages SET message_text = '' WHERE id = :'w_id';
SELECT is(result, 'dup', 'an erased text changes nothing') FROM t.write(:'room', p_cid => :'cid');
SELECT is(result, 'cid_conflict', 'not this either')
FROM t.write(:'room', p_cid => :'cid', p_text => 'другая канарейка');
SELECT is(t.head(:'room'), 2::bigint, 'dups and conflicts take no number');

-- Held and blocked.
SELECT * FROM t.write(:'room', 'pending_moderation', p_reason => 'contact.phone',
                      p_rules => '{"rules": ["phone"], "spans": [[0, 3]]}', p_cid => :'cid2') \gset p_
SELECT ok(:'p_result' = 'new' AND NOT :{?p_seq} AND :'p_reason' = 'contact.phone', 'a held message has no number');
SELECT ok(moderation_completed_at IS NULL AND seq IS NULL, 'nor a verdict') FROM messages WHERE id = :'p_id';
SELECT ok(c.reason = 'contact.phone' AND c.detail -> 'rules' = '["phone"]' AND c.rule_set = 7
          AND c.room_id = :'room' AND c.sender_id = :'student' AND c.decided_at IS NULL, 'it has a case')
FROM moderation_cases c WHERE c.message_id = :'p_id';
SELECT * FROM t.write(:'room', 'blocked', p_reason => 'payment.card') \gset b_
SELECT ok(m.status = 'blocked' AND m.moderation_completed_at IS NOT NULL AND m.seq IS NULL
          AND m.verdict_reason = 'payment.card', 'a blocked one has a verdict and no number')
FROM messages m WHERE m.id = :'b_id';
SELECT results_eq(
    $$SELECT action, to_status, version, reason, rule_set, node, actor_id, db_user
      FROM moderation_audit ORDER BY id$$,
    $$VALUES ('screen', 'pending_moderation', 1, 'contact.phone', 7::bigint, 'node-1', NULL::uuid, 'postgres'),
             ('screen', 'blocked', 1, 'payment.card', 7, 'node-1', NULL, 'postgres')$$,
    'both are audited');
SELECT is(t.head(:'room'), 2::bigint, 'neither moved the head');
SELECT is(last_message_at, (SELECT created_at FROM messages WHERE chat_room_id = :'room' AND seq = 2),
          'nor last_message_at') FROM chat_rooms WHERE id = :'room';
SELECT ok(result = 'dup' AND status = 'pending_moderation' AND seq IS NULL AND reason = 'contact.phone',
          'a resend of the held one tells where it stands') FROM t.write(:'room', p_cid => :'cid2');

-- Who may not.
SELECT is(result, 'not_member', 'a stranger') FROM t.write(:'room', p_sender => :'student2');
SELECT is(result, 'no_room', 'no such room')
FROM t.write(gen_random_uuid(), p_sender => :'student');
UPDATE chat_rooms SET deleted_at = now() WHERE id = :'room';
SELECT is(result, 'no_room', 'a closed room') FROM t.write(:'room');
SELECT ok(result = 'dup' AND seq = 1, 'but a dup is answered there too') FROM t.write(:'room', p_cid => :'cid');
UPDATE chat_rooms SET deleted_at = NULL WHERE id = :'room';
SELECT is(seq, 3::bigint, 'revived, its counter goes on') FROM t.write(:'room');

-- A batch across rooms: everything at once, in input order.
SELECT array_agg(gen_random_uuid() ORDER BY i) AS ids, array_agg(gen_random_uuid() ORDER BY i) AS cids
FROM generate_series(1, 10) i \gset
CREATE TEMP TABLE answer AS
SELECT *
FROM chatgate_write_messages(
    :'ids',
    ARRAY[:'room', :'room2', :'room', :'room', :'room2', :'room', :'room', :'room', :'room', :'room2']::uuid[],
    ARRAY[:'student', :'student2', :'teacher', :'student', :'student2', :'student', :'student2',
          :'student', :'student', :'student2']::uuid[],
    -- The first four and the last are cids of their own; 5, 6 repeat 2, 1; 8 is an old one; 9
    -- repeats 4 with another text.
    ARRAY[(:'cids'::uuid[])[1], (:'cids'::uuid[])[2], (:'cids'::uuid[])[3], (:'cids'::uuid[])[4],
          (:'cids'::uuid[])[2], (:'cids'::uuid[])[1], (:'cids'::uuid[])[7], :'cid',
          (:'cids'::uuid[])[4], (:'cids'::uuid[])[10]],
    array_fill('канарейка'::text, ARRAY[10]),
    ARRAY['\x01', '\x01', '\x01', '\x01', '\x01', '\x01', '\x01',
          sha256(convert_to('канарейка', 'UTF8')), '\x02', '\x01'],
    ARRAY['delivered', 'delivered', 'delivered', 'pending_moderation', 'delivered', 'delivered',
          'delivered', 'delivered', 'pending_moderation', 'delivered'],
    array_fill(NULL::text, ARRAY[10]), array_fill(NULL::jsonb, ARRAY[10]), 7, 'node-1');
SELECT results_eq(
    'SELECT ord, result, seq FROM answer',
    $$VALUES (1, 'new', 4::bigint), (2, 'new', 2), (3, 'new', 5), (4, 'new', NULL), (5, 'dup', 2),
             (6, 'dup', 4), (7, 'not_member', NULL), (8, 'dup', 1), (9, 'cid_conflict', NULL),
             (10, 'new', 3)$$,
    'ten rows, ten answers, numbers in input order');
SELECT is(a.id, b.id, 'the second of a cid in one batch answers the first one''s id')
FROM answer a, answer b WHERE a.ord = 6 AND b.ord = 1;
SELECT is(count(*), 5::bigint, 'five rows were written') FROM messages WHERE id = ANY (:'ids'::uuid[]);
SELECT is(t.head(:'room'), 5::bigint, 'the head of the one room');
SELECT is(t.head(:'room2'), 3::bigint, 'and of the other');
SELECT is_empty(
    $$SELECT * FROM chatgate_write_messages('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', 7, 'n')$$,
    'an empty batch is answered with nothing');
SELECT ok(result = 'new' AND seq = 6, 'a flagged but delivered message has a case')
FROM t.write(:'room', p_rules => '{"rules": ["shadow"]}');
SELECT is(count(*), 1::bigint, 'with its detail') FROM moderation_cases WHERE detail -> 'rules' = '["shadow"]';

-- Texts that try.
SELECT is(result, 'new', 'quotes, markup and 4,000 astral characters are a text like any other')
FROM t.write(:'room', p_text => $$'; DROP TABLE messages; -- канарейка %s \x00 $$ || repeat('🐦', 4000));

SELECT * FROM finish();
ROLLBACK;
