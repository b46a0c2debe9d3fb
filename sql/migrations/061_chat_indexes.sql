-- SPDX-License-Identifier: Apache-2.0
-- chatgate: no-transaction
-- The indexes on the platform's tables, built while it works.
--
-- CONCURRENTLY waits for the transactions that are open and can be broken off; what such a build
-- leaves behind is invalid and is dropped first, since IF NOT EXISTS would keep it. None holds a
-- column that moves with each message (chat_rooms.head, last_message_at): that would end its HOT
-- updates.
SET client_min_messages = warning;
SET lock_timeout = '2s';
DO $$
DECLARE
    broken record;
BEGIN
    FOR broken IN
        SELECT i.indexrelid::regclass AS name
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace
          AND c.relname LIKE 'chatgate\_%'
          AND NOT EXISTS (
              SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
    LOOP
        EXECUTE format('DROP INDEX %s', broken.name);
    END LOOP;
END
$$;

-- chatgate: next
SET lock_timeout = 0;
-- chatgate: next
-- Once, for ever: the same cid of a sender in a room.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_cid
    ON public.messages (chat_room_id, sender_id, cid) WHERE cid IS NOT NULL;
-- chatgate: next
-- History, resume, unread.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_seq
    ON public.messages (chat_room_id, seq) WHERE seq IS NOT NULL;
-- chatgate: next
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_removed_seq
    ON public.messages (chat_room_id, removed_seq) WHERE removed_seq IS NOT NULL;
-- chatgate: next
-- The queue, oldest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_pending
    ON public.messages (created_at, id)
    WHERE status = 'pending_moderation' AND deleted_at IS NULL;
-- chatgate: next
-- A sender's messages that were held, by when they were decided; NULL: not yet.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_held
    ON public.messages (sender_id, moderation_completed_at)
    WHERE status <> 'delivered' OR delayed;
-- chatgate: next
-- Delivered or gone without a number yet: nearly always empty, see chatgate_settle_room.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_messages_unsettled
    ON public.messages (chat_room_id)
    WHERE (seq IS NULL AND status = 'delivered' AND deleted_at IS NULL)
       OR (seq IS NOT NULL AND removed_seq IS NULL
           AND (deleted_at IS NOT NULL OR status <> 'delivered'));
-- chatgate: next
-- A student's rooms; a teacher's are found by the pair's own unique index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_chat_rooms_student
    ON public.chat_rooms (student_id);
-- chatgate: next
-- Does a lesson or a booking tie this pair?
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_lessons_teacher
    ON public.lessons (teacher_id, student_id);
-- chatgate: next
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_bookings_student
    ON public.bookings (student_id);
