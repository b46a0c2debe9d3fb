-- The live rooms of a user, for the session's start.
-- params:  $1 user uuid
-- columns: room uuid, teacher uuid, student uuid, head int8
SELECT r.id AS room, r.teacher_id AS teacher, r.student_id AS student, r.head
FROM public.chat_rooms r
WHERE (r.teacher_id = $1::uuid OR r.student_id = $1::uuid) AND r.deleted_at IS NULL
