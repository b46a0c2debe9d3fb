-- SPDX-License-Identifier: Apache-2.0
-- Rows that other programs insert and change are kept consistent, and never refused.
BEGIN;
SELECT no_plan();

SELECT t.room() AS room, t.person('moderator') AS moderator \gset

-- Inserted pending: it waits in the queue.
SELECT t.foreign_message(:'room') AS p1 \gset
SELECT ok(version = 1 AND seq IS NULL, 'a pending row is left as it is') FROM messages WHERE id = :'p1';
SELECT is(count(*), 1::bigint, 'and has a case') FROM moderation_cases WHERE message_id = :'p1';
SELECT is(result, 'decided', 'and is decided like any other') FROM t.decide(:'moderator', :'p1', 'deliver', 1);

-- Inserted delivered: it takes its number.
SELECT t.foreign_message(:'room', 'delivered') AS d1 \gset
SELECT ok(m.seq = 2 AND m.version = 1 AND NOT m.delayed AND m.moderation_completed_at IS NOT NULL, 'a delivered row is numbered')
FROM messages m WHERE m.id = :'d1';
SELECT results_eq(
    format('SELECT action, from_status, to_status, db_user, actor_id FROM moderation_audit WHERE message_id = %L', :'d1'),
    $$VALUES ('foreign', NULL, 'delivered', 'postgres', NULL::uuid)$$, 'and audited with the database user');
SELECT is(last_message_at, (SELECT created_at FROM messages WHERE id = :'d1'), 'the room moved')
FROM chat_rooms WHERE id = :'room';

-- By a role that has rights on messages only.
GRANT SELECT, INSERT, UPDATE ON messages TO stranger;
SELECT gen_random_uuid() AS d2, t.student(:'room') AS student \gset
SET LOCAL ROLE stranger;
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status)
VALUES (:'d2', :'room', :'student', 'канарейка', 'delivered');
RESET ROLE;
SELECT is(seq, 3::bigint, 'also by a role without rights on the rest') FROM messages WHERE id = :'d2';

-- Several in one statement: in the order in which they were written.
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, created_at)
SELECT gen_random_uuid(), :'room', :'student', t.body(i), 'delivered', timestamp '2026-01-01' + i * interval '1 s'
FROM generate_series(5, 1, -1) i;
SELECT results_eq(
    format('SELECT message_text FROM messages WHERE chat_room_id = %L AND seq > 3 ORDER BY seq', :'room'),
    'SELECT t.body(i) FROM generate_series(1, 5) i', 'numbered by created_at');
SELECT is(t.head(:'room'), 8::bigint, 'without a hole');

-- A row that ON CONFLICT drops takes no number.
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status)
VALUES (:'d2', :'room', :'student', 'канарейка', 'delivered') ON CONFLICT DO NOTHING;
SELECT is(t.head(:'room'), 8::bigint, 'a dropped insert takes no number');

-- Changed.
SELECT t.foreign_message(:'room') AS p2, t.foreign_message(:'room') AS p3, t.foreign_message(:'room') AS p4 \gset
UPDATE messages SET status = 'delivered' WHERE id = :'p2';
SELECT ok(m.seq = 9 AND m.version = 2 AND m.delayed AND m.moderation_completed_at IS NOT NULL, 'a foreign verdict: delivered')
FROM messages m WHERE m.id = :'p2';
UPDATE messages SET status = 'blocked', moderation_completed_at = '2026-02-03' WHERE id = :'p3';
SELECT ok(m.seq IS NULL AND m.version = 2 AND m.moderation_completed_at = '2026-02-03', 'a foreign verdict: blocked; its time is kept')
FROM messages m WHERE m.id = :'p3';
SELECT ok(result = 'already_decided' AND status = 'blocked' AND decided_by IS NULL, 'who comes later is told')
FROM t.decide(:'moderator', :'p3', 'deliver', 1);
SELECT ok(decided_at IS NOT NULL, 'the case is closed') FROM moderation_cases WHERE message_id = :'p3';
UPDATE messages SET deleted_at = now() WHERE id = :'p4';
SELECT ok(result = 'already_decided', 'a soft-deleted pending one is not decided')
FROM t.decide(:'moderator', :'p4', 'deliver');
SELECT results_eq(
    format('SELECT from_status, to_status, version FROM moderation_audit WHERE message_id IN (%L, %L) ORDER BY id', :'p2', :'p3'),
    $$VALUES ('pending_moderation', 'delivered', 2), ('pending_moderation', 'blocked', 2)$$, 'audited');
UPDATE messages SET message_text = 'другая канарейка' WHERE id = :'p2';
SELECT is(version, 2, 'a change of something else is no transition') FROM messages WHERE id = :'p2';

-- Removed.
UPDATE messages SET deleted_at = '2026-02-03' WHERE id = :'d1';
SELECT ok(m.removed_seq = 10 AND m.seq = 2 AND m.version = 2 AND m.deleted_at = '2026-02-03', 'deleted_at becomes a removal')
FROM messages m WHERE m.id = :'d1';
SELECT is(to_status, 'removed', 'audited as one') FROM moderation_audit
WHERE message_id = :'d1' AND from_status = 'delivered';
UPDATE messages SET deleted_at = NULL WHERE id = :'d1';
SELECT is(removed_seq, 10::bigint, 'it is never delivered again') FROM messages WHERE id = :'d1';
UPDATE messages SET deleted_at = '2026-02-03' WHERE id = :'d1';
SELECT is(t.head(:'room'), 10::bigint, 'and takes no second number');
UPDATE messages SET status = 'blocked' WHERE id = :'d2';
SELECT ok(m.removed_seq = 11 AND m.deleted_at IS NOT NULL, 'delivered to blocked is a removal too')
FROM messages m WHERE m.id = :'d2';
UPDATE messages SET status = 'delivered' WHERE id = :'d2';
SELECT is(t.head(:'room'), 11::bigint, 'and final');
UPDATE messages SET status = 'pending_moderation', deleted_at = NULL WHERE id = :'d2';
SELECT is(result, 'already_decided', 'not even by way of the queue') FROM t.decide(:'moderator', :'d2', 'deliver');
UPDATE messages SET status = 'blocked', deleted_at = now() WHERE id = :'d2';
UPDATE messages SET status = 'delivered' WHERE id = :'p3';
SELECT is(seq, 12::bigint, 'blocked to delivered takes a number now') FROM messages WHERE id = :'p3';

-- Of the gateway's rows too.
SELECT id AS own FROM t.write(:'room') \gset
UPDATE messages SET deleted_at = now() WHERE id = :'own';
SELECT ok(removed_seq = 14 AND version = 2, 'a gateway''s message deleted by another program') FROM messages WHERE id = :'own';

-- Strange values pass.
SELECT lives_ok(format('SELECT t.foreign_message(%L, ''archived'')', :'room'), 'a status that we do not know');
SELECT is(t.head(:'room'), 14::bigint, 'is nothing to us');

-- A room with more to number than one statement should bear is left to the sweep, in order.
SELECT t.room() AS big \gset
ALTER TABLE messages DISABLE TRIGGER USER;
INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, created_at)
SELECT gen_random_uuid(), :'big', t.student(:'big'), t.body(i), 'delivered', timestamp '2026-01-01' + i * interval '1 s'
FROM generate_series(1, 2500) i;
ALTER TABLE messages ENABLE TRIGGER USER;
SELECT t.foreign_message(:'big', 'delivered') AS newest \gset
SELECT is(t.head(:'big'), 1000::bigint, 'the statement numbers a thousand');
SELECT is(sum(settled), 1501::bigint, 'the sweep the rest')
FROM generate_series(1, 3), LATERAL chatgate_settle_rooms(10 + 0 * generate_series);
SELECT is(seq, 2501::bigint, 'the newest last') FROM messages WHERE id = :'newest';
SELECT is(count(*), 0::bigint, 'all in the order in which they were written')
FROM messages WHERE chat_room_id = :'big' AND id <> :'newest'
  AND seq <> extract(epoch FROM created_at - timestamp '2026-01-01');

-- The gateway's own writes call none of this.
DROP TRIGGER chatgate_message_inserted ON messages;
DROP TRIGGER chatgate_message_changed ON messages;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'called';
END $$;
CREATE TRIGGER chatgate_message_inserted AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.text_hash IS NULL) EXECUTE FUNCTION pg_temp.refuse();
CREATE TRIGGER chatgate_message_changed AFTER UPDATE OF status, deleted_at ON messages
    FOR EACH ROW WHEN (NEW.version = OLD.version) EXECUTE FUNCTION pg_temp.refuse();
SELECT id AS w1 FROM t.write(:'room', 'pending_moderation') \gset
SELECT is(result, 'decided', 'neither writer nor verdict') FROM t.decide(:'moderator', :'w1', 'block');
SELECT is(result, 'undone', 'nor undo') FROM t.undo(:'moderator', :'w1');
SELECT is(result, 'removed', 'nor remove calls a trigger') FROM t.remove(:'moderator', :'w1');

SELECT * FROM finish();
ROLLBACK;
