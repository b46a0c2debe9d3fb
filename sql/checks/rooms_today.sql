-- Rooms made today (UTC).
-- columns: room uuid, teacher uuid, student uuid, created_at timestamp
SELECT id AS room, teacher_id AS teacher, student_id AS student, created_at
FROM public.chat_rooms
WHERE deleted_at IS NULL AND created_at >= date_trunc('day', now() AT TIME ZONE 'utc')
ORDER BY created_at DESC, id;
