-- Of these rooms, those whose head is not the caller's any more, or that closed.
-- params:  $1 room uuid[], $2 head int8[] (of the same length)
-- columns: room uuid, head int8, closed bool
SELECT w.room, coalesce(r.head, 0) AS head, (r.id IS NULL OR r.deleted_at IS NOT NULL) AS closed
FROM unnest($1::uuid[], $2::int8[]) AS w (room, head)
LEFT JOIN public.chat_rooms r ON r.id = w.room
WHERE r.id IS NULL OR r.deleted_at IS NOT NULL OR r.head <> w.head
