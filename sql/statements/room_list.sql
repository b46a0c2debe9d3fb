-- A page of a user's rooms, the one that moved last first. The cursor is the last row's
-- (sort_us, room). A user's rooms are few enough to sort; an index on last_message_at would
-- cost each write its HOT update. What is unread is counted up to 1,000, or rooms never marked as
-- read would be read whole.
-- params:  $1 user uuid, $2 cursor_us int8 null, $3 cursor_room uuid null, $4 limit int4
-- columns: room uuid, teacher uuid, student uuid, head int8, read int8, peer_read int8,
--          unread int8, created_us int8, last_message_us int8 null, peer_id uuid, peer_role text,
--          peer_first_name text, peer_last_name text, sort_us int8, last_mid uuid null,
--          last_seq int8 null, last_sender uuid null, last_text text null, last_at_us int8 null,
--          last_removed bool null
SELECT r.id AS room, r.teacher_id AS teacher, r.student_id AS student, r.head,
       coalesce(mine.seq, 0) AS read, coalesce(theirs.seq, 0) AS peer_read,
       (SELECT count(*)
        FROM (SELECT
              FROM public.messages m
              WHERE m.chat_room_id = r.id AND m.seq > coalesce(mine.seq, 0)
                AND m.sender_id <> $1::uuid AND m.removed_seq IS NULL
              LIMIT 1000) u) AS unread,
       coalesce(public.chatgate_us(r.created_at), 0) AS created_us,
       public.chatgate_us(r.last_message_at) AS last_message_us,
       peer.id AS peer_id, peer.role::text AS peer_role,
       coalesce(peer.first_name, '')::text AS peer_first_name,
       coalesce(peer.last_name, '')::text AS peer_last_name,
       r.sort_us,
       last.id AS last_mid, last.seq AS last_seq, last.sender_id AS last_sender,
       CASE WHEN last.removed_seq IS NULL THEN last.message_text END AS last_text,
       public.chatgate_us(last.created_at) AS last_at_us,
       last.removed_seq IS NOT NULL AS last_removed
FROM (
    SELECT *
    FROM (
        SELECT c.*,
               coalesce(public.chatgate_us(coalesce(c.last_message_at, c.created_at)), 0) AS sort_us
        FROM public.chat_rooms c
        WHERE (c.teacher_id = $1::uuid OR c.student_id = $1::uuid) AND c.deleted_at IS NULL
    ) sorted
    WHERE $2::int8 IS NULL OR sort_us < $2::int8 OR (sort_us = $2::int8 AND id > $3::uuid)
    ORDER BY sort_us DESC, id
    LIMIT $4::int4
) r
LEFT JOIN public.users peer
       ON peer.id = CASE WHEN r.teacher_id = $1::uuid THEN r.student_id ELSE r.teacher_id END
LEFT JOIN LATERAL (
    SELECT k.seq FROM public.chat_read_marks k WHERE k.room_id = r.id AND k.user_id = $1::uuid OFFSET 0
) mine ON true
LEFT JOIN LATERAL (
    SELECT k.seq FROM public.chat_read_marks k WHERE k.room_id = r.id AND k.user_id = peer.id OFFSET 0
) theirs ON true
LEFT JOIN LATERAL (
    SELECT m.id, m.seq, m.sender_id, m.message_text, m.created_at, m.removed_seq
    FROM public.messages m
    WHERE m.chat_room_id = r.id AND m.seq IS NOT NULL
    ORDER BY m.seq DESC
    LIMIT 1
) last ON true
ORDER BY r.sort_us DESC, r.id
