-- May this user read this room? No row: no such room, closed, or another pair's: not_found.
-- params:  $1 user uuid, $2 room uuid
-- columns: teacher uuid, student uuid, head int8
SELECT r.teacher_id AS teacher, r.student_id AS student, r.head
FROM public.chat_rooms r
WHERE r.id = $2::uuid AND r.deleted_at IS NULL AND $1::uuid IN (r.teacher_id, r.student_id)
