-- SPDX-License-Identifier: Apache-2.0
-- Tables, columns, indexes, triggers, functions and rights.
BEGIN;
SELECT no_plan();

SELECT has_table('public', name, 'table ' || name)
FROM unnest(ARRAY['users', 'lessons', 'bookings', 'chat_rooms', 'messages', 'chat_read_marks',
                  'chat_room_changes', 'chat_room_census', 'moderation_rule_sets', 'moderation_rules',
                  'moderation_cases', 'moderation_audit', 'user_access', 'chatgate_settings',
                  'chatgate_migrations']) AS name;

SELECT col_type_is('public', c.tab, c.col, c.type, format('%s.%s is %s', c.tab, c.col, c.type))
FROM (VALUES
    ('users', 'id', 'uuid'), ('users', 'deleted_at', 'timestamp without time zone'),
    ('lessons', 'teacher_id', 'uuid'), ('lessons', 'end_time', 'timestamp without time zone'),
    ('bookings', 'status', 'character varying(50)'), ('bookings', 'lesson_id', 'uuid'),
    ('chat_rooms', 'last_message_at', 'timestamp without time zone'),
    ('chat_rooms', 'head', 'bigint'),
    ('messages', 'message_text', 'text'), ('messages', 'status', 'character varying(50)'),
    ('messages', 'moderation_completed_at', 'timestamp without time zone'),
    ('messages', 'cid', 'uuid'), ('messages', 'text_hash', 'bytea'), ('messages', 'seq', 'bigint'),
    ('messages', 'removed_seq', 'bigint'), ('messages', 'version', 'integer'),
    ('messages', 'verdict_reason', 'text'), ('messages', 'delayed', 'boolean')
) AS c (tab, col, type);
SELECT col_is_null('public', 'lessons', 'student_id', 'a lesson may have no student yet');
SELECT col_is_unique('public', 'users', 'email', 'an address is one user''s');
SELECT col_is_unique('public', 'chat_rooms', ARRAY['teacher_id', 'student_id'], 'a pair has one room');
SELECT matches(array_to_string(reloptions, ','), 'fillfactor=70', 'chat_rooms leave room for HOT updates')
FROM pg_class WHERE oid = 'public.chat_rooms'::regclass;
SELECT is_empty($$SELECT conname FROM pg_constraint
                  WHERE conrelid = 'public.messages'::regclass AND contype = 'c'$$,
                'no constraint can be violated by a text');

SELECT has_index('public', tab::name, name::name, 'index ' || name)
FROM (VALUES ('messages', 'chatgate_messages_cid'), ('messages', 'chatgate_messages_seq'),
             ('messages', 'chatgate_messages_removed_seq'),
             ('messages', 'chatgate_messages_pending'), ('messages', 'chatgate_messages_held'),
             ('messages', 'chatgate_messages_unsettled'),
             ('chat_rooms', 'chatgate_chat_rooms_student'),
             ('lessons', 'chatgate_lessons_teacher'),
             ('bookings', 'chatgate_bookings_student')) AS i (tab, name);
SELECT is_empty($$SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid$$,
                'every index is valid');
SELECT is_empty(
    $$SELECT i.indexrelid::regclass
      FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indexrelid
      WHERE i.indrelid = 'public.chat_rooms'::regclass
        AND a.attname IN ('head', 'last_message_at')$$,
    'no index holds a column that moves with each message');

SELECT has_trigger('public', tab::name, name::name, 'trigger ' || name)
FROM (VALUES ('bookings', 'booking_create_chat'), ('bookings', 'booking_create_chat_update'),
             ('chat_rooms', 'chatgate_rooms_made'), ('chat_rooms', 'chatgate_room_moved'),
             ('chat_rooms', 'chatgate_room_gone'),
             ('messages', 'chatgate_message_inserted'), ('messages', 'chatgate_message_changed'),
             ('users', 'chatgate_user_changed'), ('users', 'chatgate_user_gone'),
             ('user_access', 'chatgate_access_changing'),
             ('moderation_audit', 'chatgate_append_only')) AS i (tab, name);
SELECT is_definer('public', name::name, name || ' is SECURITY DEFINER')
FROM unnest(ARRAY['create_chat_on_booking_active', 'chatgate_log_rooms_made',
                  'chatgate_log_room_moved', 'chatgate_adopt_message',
                  'chatgate_user_changed']) AS name;
SELECT is_empty(
    $$SELECT p.proname
      FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND p.proname !~ '^dblink'
        AND (p.proconfig IS NULL
             OR NOT EXISTS (SELECT FROM unnest(p.proconfig) c
                            WHERE c LIKE 'search_path=%pg_temp'))$$,
    'every SECURITY DEFINER function has a fixed search_path, pg_temp last');
SELECT is_empty(
    $$SELECT p.proname
      FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
        AND has_function_privilege('stranger', p.oid, 'EXECUTE')$$,
    'no stranger may call one');
SELECT is_empty(
    $$SELECT c.relname
      FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND has_table_privilege('stranger', c.oid, 'SELECT, INSERT, UPDATE, DELETE')$$,
    'no stranger sees a table');
SELECT is(provolatile, 'v', 'chatgate_write_messages is VOLATILE')
FROM pg_proc WHERE proname = 'chatgate_write_messages';

SELECT function_returns('public', 'create_chats_for_active_bookings', ARRAY[]::name[], 'integer', 'the general backfill');
SELECT function_returns('public', 'create_chats_for_completed_lessons', ARRAY[]::name[], 'integer', 'the one of 049');
SELECT hasnt_function('public', 'create_chat_after_lesson_completion', '049 is gone');

INSERT INTO moderation_audit (action) VALUES ('context');
SELECT throws_ok('UPDATE moderation_audit SET note = NULL', '42501', NULL, 'the audit cannot be changed');
SELECT throws_ok('DELETE FROM moderation_audit', '42501', NULL, 'nor deleted');
SELECT throws_ok('TRUNCATE moderation_audit', '42501', NULL, 'nor emptied');

SELECT is(chatgate_us(timestamp '2026-01-02 03:04:05.678901'), 1767323045678901, 'microseconds');
SELECT is(chatgate_timestamp(1767323045678901), timestamp '2026-01-02 03:04:05.678901', 'and back');
SELECT is(chatgate_us(chatgate_timestamptz(1767323045678901)), 1767323045678901, 'with a zone too');
SELECT is(chatgate_timestamp(NULL), NULL, 'NULL stays NULL');
SELECT is(chatgate_timestamp(9223372036854775807), 'infinity', 'absurd times are cut, not errors');
SELECT is(chatgate_timestamp(-9223372036854775808), 'epoch', 'also early ones');
SELECT is(chatgate_us('infinity'::timestamptz), 9223372036854775807, 'for ever');
SELECT is(chatgate_us('-infinity'::timestamp), 0::bigint, 'since ever');

SELECT * FROM finish();
ROLLBACK;
