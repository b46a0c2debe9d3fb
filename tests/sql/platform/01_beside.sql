-- SPDX-License-Identifier: Apache-2.0
-- The migrations ran, twice, beside a platform that was there: fixture.psql.
BEGIN;
SELECT no_plan();

-- Nothing of the platform's is changed.
SELECT col_type_is('public', 'users', 'role', 'character varying(20)', 'types are as they were');
SELECT has_column('public', 'users', 'phone', 'columns too');
SELECT has_index('public', 'messages', 'idx_messages_room', 'and indexes');
SELECT col_not_null('public', 'lessons', 'student_id', 'and constraints');
SELECT is(count(*), 1000::bigint, 'every message is there') FROM messages;
SELECT is(count(*), 1::bigint, 'last_message_at is not moved by numbering')
FROM (SELECT DISTINCT last_message_at FROM chat_rooms WHERE created_at < (SELECT min(changed_at) FROM chat_room_changes) AT TIME ZONE 'utc') r;

-- 049 is gone, 050 is there.
SELECT hasnt_trigger('public', 'lessons', 'lesson_completion_create_chat', 'the trigger of 049');
SELECT hasnt_trigger('public', 'bookings', 'another_name', 'under any name');
SELECT hasnt_function('public', 'create_chat_after_lesson_completion', 'and its function');
SELECT has_trigger('public', 'bookings', 'booking_create_chat', 'the trigger of 050');
SELECT has_trigger('public', 'bookings', 'booking_create_chat_update', 'both');
SELECT function_returns('public', 'create_chats_for_completed_lessons', ARRAY[]::name[], 'integer', 'the backfill has its new type');
SELECT lives_ok('UPDATE lessons SET updated_at = now()', 'a lesson can be changed again');

-- The backfill.
SELECT is(count(*), 15::bigint, 'every active booking has a room') FROM chat_rooms WHERE deleted_at IS NULL;
SELECT is(id, md5('room10')::uuid, 'the closed one came back')
FROM chat_rooms WHERE teacher_id = md5('teacher10')::uuid AND deleted_at IS NULL;
SELECT results_eq('SELECT change, count(*) FROM chat_room_changes WHERE way = ''backfill'' GROUP BY change ORDER BY change',
                  $$VALUES ('created', 5::bigint), ('revived', 1)$$, 'made and revived, once');
SELECT is(create_chats_for_active_bookings(), 0, 'nothing is left to do');

-- Numbers by (created_at, id), of what is delivered and not deleted.
SELECT is(count(*), 0::bigint, 'numbered in the order in which they were written')
FROM (
    SELECT seq, row_number() OVER (PARTITION BY chat_room_id ORDER BY created_at, id) AS place
    FROM messages
    WHERE status = 'delivered' AND deleted_at IS NULL
) n
WHERE seq IS DISTINCT FROM place;
SELECT is(count(*), 0::bigint, 'and nothing else') FROM messages
WHERE seq IS NOT NULL AND (status <> 'delivered' OR deleted_at IS NOT NULL) OR removed_seq IS NOT NULL;
SELECT ok(bool_and(version = 1 AND NOT delayed), 'numbering is no transition') FROM messages;
SELECT is(count(*), 0::bigint, 'and not audited') FROM moderation_audit;

-- The gateway goes on from there.
SELECT head AS before FROM chat_rooms WHERE id = md5('room1')::uuid \gset
SELECT is(seq, :before + 1::bigint, 'a new message has the next number') FROM t.write(md5('room1')::uuid);
UPDATE messages SET deleted_at = NULL WHERE id = (
    SELECT id FROM messages
    WHERE chat_room_id = md5('room1')::uuid AND status = 'delivered' AND deleted_at IS NOT NULL
    LIMIT 1);
SELECT is(t.head(md5('room1')::uuid), :before + 2::bigint, 'an old one that comes back too');
SELECT is(count(*), 10::bigint, 'old pending rows are in the queue') FROM messages
WHERE status = 'pending_moderation' AND deleted_at IS NULL;
SELECT is(result, 'decided', 'and decided, case or not')
FROM t.decide(gen_random_uuid(), md5('message1-100')::uuid, 'deliver', 1);
UPDATE messages SET deleted_at = now() WHERE chat_room_id = md5('room2')::uuid AND seq = 1;
SELECT is(removed_seq, t.head(md5('room2')::uuid), 'an old one is removed with a number')
FROM messages WHERE chat_room_id = md5('room2')::uuid AND seq = 1;

SELECT * FROM finish();
ROLLBACK;
