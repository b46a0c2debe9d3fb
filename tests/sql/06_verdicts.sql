-- SPDX-License-Identifier: Apache-2.0
-- Verdicts by compare-and-set, leases, undo, remove, context, record, stats.
BEGIN;
SELECT no_plan();
\i :statements

SELECT t.room() AS room, t.person('moderator') AS m1, t.person('moderator') AS m2 \gset
SELECT t.student(:'room') AS student, t.teacher(:'room') AS teacher \gset
SELECT id AS first FROM t.write(:'room') \gset
SELECT id AS held FROM t.write(:'room', 'pending_moderation', p_reason => 'contact.link',
                               p_rules => '{"rules": ["link"]}') \gset

-- Deliver.
SELECT is(result, 'own_room', 'nobody decides in a room of their own')
FROM t.decide(:'teacher', :'held', 'deliver');
SELECT is(text, NULL, 'nor reads there') FROM t.decide(:'teacher', :'held', 'deliver');
SELECT is(result, 'not_found', 'no such message') FROM t.decide(:'m1', gen_random_uuid(), 'deliver');
SELECT is(result, 'already_decided', 'a stale version') FROM t.decide(:'m1', :'held', 'deliver', 2);
SELECT throws_ok(format('SELECT * FROM t.decide(%L, %L, ''maybe'')', :'m1', :'held'), '22023', NULL,
                 'a verdict is deliver or block');
SELECT * FROM t.decide(:'m1', :'held', 'deliver', 1) \gset d_
SELECT is(:'d_result'::text, 'decided', 'delivered by a moderator');
SELECT ok(:d_seq = 2 AND :d_version = 2 AND :'d_status' = 'delivered' AND :'d_decided_by' = :'m1'
          AND :'d_sender' = :'student' AND :'d_room' = :'room' AND :'d_text' = 'канарейка', 'answered whole');
SELECT ok(m.seq = 2 AND m.version = 2 AND m.delayed AND m.moderation_completed_at IS NOT NULL, 'stored whole')
FROM messages m WHERE m.id = :'held';
SELECT ok(head = 2 AND last_message_at > (SELECT created_at FROM messages WHERE id = :'held'), 'the room moved on')
FROM chat_rooms WHERE id = :'room';
SELECT results_eq(
    format($$SELECT action, from_status, to_status, version, actor_id, reason, note, waited_ms >= 0
             FROM moderation_audit WHERE message_id = %L ORDER BY id$$, :'held'),
    format($$VALUES ('screen', NULL, 'pending_moderation', 1, NULL, 'contact.link', NULL, NULL),
                    ('decide', 'pending_moderation', 'delivered', 2, %L::uuid, 'contact.phone', 'a note', true)$$,
           :'m1'),
    'one audit row a transition');
SELECT ok(result = 'already_decided' AND status = 'delivered' AND decided_by = :'m1' AND seq = 2,
          'the loser hears the winner''s verdict') FROM t.decide(:'m2', :'held', 'block', 1);

-- Many at once; one of them twice.
SELECT id AS p1 FROM t.write(:'room', 'pending_moderation') \gset
SELECT id AS p2 FROM t.write(:'room', 'pending_moderation', p_reason => 'spam') \gset
SELECT id AS p3 FROM t.write(:'room', 'pending_moderation') \gset
SELECT results_eq(
    format($$SELECT ord, result, status, seq, reason
             FROM chatgate_decide(%L, ARRAY[%L, %L, %L, %L, %L]::uuid[], ARRAY[0, 1, 1, 0, 0],
                                  ARRAY['deliver', 'block', 'deliver', 'block', 'block'],
                                  ARRAY[NULL, NULL, 'fine', 'late', 'late'],
                                  array_fill(NULL::text, ARRAY[5]), array_fill(NULL::bigint, ARRAY[5]), 'n')$$,
           :'m1', :'p3', :'p2', :'p1', :'p3', :'first'),
    $$VALUES (1, 'decided', 'delivered', 3::bigint, NULL),
             (2, 'decided', 'blocked', NULL, 'spam'),
             (3, 'decided', 'delivered', 4, 'fine'),
             (4, 'already_decided', 'delivered', 3, NULL),
             (5, 'already_decided', 'delivered', 1, NULL)$$,
    'five verdicts, numbers in their order, a doubled one answered with the first');
SELECT is(count(*), 3::bigint, 'three rows in the audit')
FROM moderation_audit WHERE action = 'decide' AND message_id IN (:'p1', :'p2', :'p3');

-- Leases.
SELECT id AS c1 FROM t.write(:'room', 'pending_moderation') \gset
EXECUTE queue_claim(:'m1', ARRAY[:'c1']::uuid[], 60, 'n') \gset k1_
SELECT ok(:'k1_result' = 'claimed' AND :k1_claim_token = 1, 'a lease with a token');
EXECUTE queue_claim(:'m1', ARRAY[:'c1']::uuid[], 60, 'n') \gset k2_
SELECT ok(:'k2_result' = 'claimed' AND :k2_claim_token = 1 AND :k2_claim_until_us >= :k1_claim_until_us,
          'renewed, it keeps the token');
EXECUTE queue_claim(:'m2', ARRAY[:'c1']::uuid[], 60, 'n') \gset k3_
SELECT ok(:'k3_result' = 'held' AND :'k3_claimed_by' = :'m1' AND NOT :{?k3_claim_token}, 'others see who has it');
SELECT is(result, 'claimed', 'and cannot decide') FROM t.decide(:'m2', :'c1', 'block');
SELECT is(result, 'own_room', 'not in one''s own room')
FROM chatgate_claim(:'teacher', ARRAY[:'c1']::uuid[], 60, 'n');
SELECT is(result, 'already_decided', 'nor what is decided') FROM chatgate_claim(:'m1', ARRAY[:'p1']::uuid[], 60, 'n');
SELECT is(result, 'not_found', 'nor nothing') FROM chatgate_claim(:'m1', ARRAY[gen_random_uuid()], 60, 'n');
EXECUTE queue_get(ARRAY[:'c1']::uuid[]) \gset g_
SELECT ok(:'g_claimed_by' = :'m1' AND :g_claim_token = 1, 'the case shows the lease');
EXECUTE queue_release(:'m2', ARRAY[:'c1']::uuid[], ARRAY[0]::bigint[], 'n') \gset r_
SELECT is(:'r_result'::text, 'not_holder', 'only the holder gives it back');
EXECUTE queue_release(:'m1', ARRAY[:'c1']::uuid[], ARRAY[9]::bigint[], 'n') \gset r_
SELECT is(:'r_result'::text, 'not_holder', 'with the token');
EXECUTE queue_release(:'m1', ARRAY[:'c1']::uuid[], ARRAY[1]::bigint[], 'n') \gset r_
SELECT is(:'r_result'::text, 'released', 'given back');
EXECUTE queue_claim(:'m2', ARRAY[:'c1']::uuid[], -1, 'n') \gset k4_
SELECT is(:k4_claim_token, 2, 'the next holder''s token is higher');
EXECUTE queue_get(ARRAY[:'c1']::uuid[]) \gset g_
SELECT ok(NOT :{?g_claimed_by}, 'a lease that ran out is none');
EXECUTE queue_claim(:'m1', ARRAY[:'c1']::uuid[], 60, 'n') \gset k5_
SELECT is(:k5_claim_token, 3, 'and is taken over');
SELECT is(result, 'claimed', 'an old token is fenced off, also one''s own')
FROM t.decide(:'m1', :'c1', 'block', 0, 1);
SELECT is(result, 'decided', 'the present one is good') FROM t.decide(:'m1', :'c1', 'block', 0, 3);
SELECT is(claimed_by, NULL, 'a verdict ends the lease') FROM moderation_cases WHERE message_id = :'c1';
SELECT is(count(*), 0::bigint, 'leases are not audited') FROM moderation_audit WHERE action = 'claim';

-- Undo.
SELECT is(result, 'own_room', 'nobody undoes in a room of their own') FROM t.undo(:'student', :'c1');
SELECT * FROM t.undo(:'m1', :'c1') \gset u_
SELECT ok(:'u_result' = 'undone' AND :'u_status' = 'delivered' AND :u_seq = 5 AND :u_version = 3
          AND :'u_text' = 'канарейка' AND NOT :{?u_reason}, 'blocked becomes delivered and takes its number now');
SELECT ok(delayed AND seq = 5, 'as a late one') FROM messages WHERE id = :'c1';
SELECT * FROM t.undo(:'m1', :'c1') \gset u_
SELECT ok(:'u_result' = 'undone' AND :u_removed_seq = 6 AND :u_seq = 5 AND :u_version = 4 AND NOT :{?u_text},
          'delivered becomes removed: a number of its own, no text');
SELECT ok(m.removed_seq = 6 AND m.deleted_at IS NOT NULL AND m.status = 'delivered', 'stored so')
FROM messages m WHERE m.id = :'c1';
SELECT ok(result = 'already_decided' AND text IS NULL, 'what is removed stays removed') FROM t.undo(:'m1', :'c1');
SELECT is(t.head(:'room'), 6::bigint, 'the head counts removals');
SELECT id AS u2 FROM t.write(:'room', 'blocked', p_reason => 'abuse') \gset
SELECT is(result, 'too_late', 'after the window') FROM t.undo(:'m1', :'u2', -1);
SELECT is(result, 'already_decided', 'with a stale version') FROM t.undo(:'m1', :'u2', 60, 5);
SELECT is(result, 'not_found', 'nothing to undo') FROM t.undo(:'m1', gen_random_uuid());
SELECT id AS u3 FROM t.write(:'room', 'pending_moderation') \gset
SELECT is(result, 'not_decided', 'nothing decided yet') FROM t.undo(:'m1', :'u3');
SELECT ok(overturned, 'the case remembers') FROM moderation_cases WHERE message_id = :'c1';

-- Remove.
SELECT is(result, 'not_delivered', 'what was not delivered cannot be removed') FROM t.remove(:'m1', :'u3');
SELECT is(result, 'own_room', 'nobody removes in a room of their own') FROM t.remove(:'teacher', :'first');
SELECT * FROM t.remove(:'m2', :'first') \gset rm_
SELECT ok(:'rm_result' = 'removed' AND :rm_removed_seq = 7 AND :rm_seq = 1 AND :rm_version = 2 AND NOT :{?rm_text}
          AND :'rm_reason' = 'abuse', 'any delivered message, at any time');
SELECT ok(result = 'already_decided' AND removed_seq = 7, 'once') FROM t.remove(:'m1', :'first');
SELECT results_eq(
    format('SELECT action, to_status, actor_id FROM moderation_audit WHERE message_id = %L ORDER BY id', :'first'),
    format($$VALUES ('remove', 'removed', %L::uuid)$$, :'m2'), 'audited');

-- Several removals of one room in one call.
SELECT results_eq(
    format($$SELECT ord, result, removed_seq
             FROM chatgate_remove(%L, ARRAY[%L, %L, %L]::uuid[], ARRAY[0, 0, 0], ARRAY['a', 'b', 'c'],
                                  ARRAY[NULL, NULL, NULL], 'n')$$, :'m1', :'p1', :'p3', :'p1'),
    $$VALUES (1, 'removed', 8::bigint), (2, 'removed', 9), (3, 'already_decided', 8)$$,
    'numbers in order; a doubled one answered with the first');

-- The queue.
DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE status = 'pending_moderation');
SELECT t.room() AS room2 \gset
SELECT id AS q1 FROM t.write(:'room', 'pending_moderation', p_reason => 'spam') \gset
SELECT id AS q2 FROM t.write(:'room2', 'pending_moderation') \gset
SELECT t.foreign_message(:'room2') AS q3 \gset
EXECUTE queue_gauges \gset gauge_
SELECT is(:gauge_pending, 3, 'three are waiting');
SELECT is(:gauge_oldest_us, chatgate_us(created_at), 'since the first was written') FROM messages WHERE id = :'q1';
SELECT results_eq(format('EXECUTE queue_page(NULL, NULL, 1, %L)', :'m1'),
                  format('EXECUTE queue_get(ARRAY[%L]::uuid[])', :'q1'), 'the oldest first');
SELECT results_eq(
    format('EXECUTE queue_page(%s, %L, 1, %L)', (SELECT chatgate_us(created_at) FROM messages WHERE id = :'q1'),
           :'q1', :'m1'),
    format('EXECUTE queue_get(ARRAY[%L]::uuid[])', :'q2'), 'then the next');
SELECT results_eq(format('EXECUTE queue_page(NULL, NULL, 10, %L)', t.teacher(:'room2')),
                  format('EXECUTE queue_get(ARRAY[%L]::uuid[])', :'q1'), 'without one''s own rooms');
UPDATE messages SET deleted_at = now() WHERE id = :'q3';
EXECUTE queue_gauges \gset gauge_
SELECT is(:gauge_pending, 2, 'a soft-deleted one waits no more');

-- A look at the context is audited; a member of the room gets none.
CREATE TEMP TABLE context AS SELECT * FROM chatgate_context(:'m1', :'q1', 20, 5, 'n');
SELECT bag_eq('SELECT id FROM context',
              format('SELECT id FROM messages WHERE chat_room_id = %L', :'room'),
              'the conversation, of every status');
SELECT results_eq('SELECT id FROM context WHERE focus', format('VALUES (%L::uuid)', :'q1'), 'and what it is about');
SELECT results_eq('SELECT at_us FROM context', 'SELECT at_us FROM context ORDER BY at_us', 'oldest first');
SELECT is(count(*), 1::bigint, 'the look is audited')
FROM moderation_audit WHERE action = 'context' AND message_id = :'q1' AND actor_id = :'m1';
SELECT is_empty(format('EXECUTE queue_context(%L, %L, 5, 5, ''n'')', :'teacher', :'q1'), 'a member sees nothing');
SELECT is_empty(format('EXECUTE queue_context(%L, %L, 5, 5, ''n'')', :'m1', gen_random_uuid()), 'nor of nothing');
SELECT results_eq(
    format('SELECT seq FROM chatgate_context(%L, %L, 1, 1, ''n'') WHERE seq IS NOT NULL', :'m1', :'held'),
    $$VALUES (1::bigint), (2), (3)$$, 'around a delivered one: its neighbours by number');

-- The sender's record.
EXECUTE queue_record(:'student') \gset rec_
SELECT is(format('%s pending, %s delivered, %s blocked, %s removed, %s overturned', :'rec_pending',
                 :'rec_delivered', :'rec_blocked', :'rec_removed', :'rec_overturned'),
          '1 pending, 1 delivered, 2 blocked, 4 removed, 1 overturned', 'the record');
SELECT is_empty(format('EXECUTE queue_record(%L)', gen_random_uuid()), 'nobody has none');

-- Stats.
CREATE TEMP TABLE stats AS EXECUTE queue_stats(0);
SELECT ok(delivered = 3 AND blocked = 3 AND undone = 2 AND removed = 3, 'in all')
FROM stats WHERE scope = 'total';
SELECT ok(p50_ms >= 0 AND p95_ms >= p50_ms, 'with the time to a verdict') FROM stats WHERE scope = 'total';
SELECT ok(delivered = 3 AND blocked = 2 AND undone = 2, 'by operator')
FROM stats WHERE scope = 'operator' AND key = :'m1';
SELECT ok(delivered = 1 AND blocked = 0, 'by rule') FROM stats WHERE scope = 'rule' AND key = 'link';

SELECT * FROM finish();
ROLLBACK;
