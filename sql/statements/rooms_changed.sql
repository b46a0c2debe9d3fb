-- Rooms of these users made, revived or closed since a moment, as they are now. The caller overlaps
-- its windows by minutes, since a change is stamped before its transaction commits.
-- params:  $1 since_us int8, $2 user uuid[]
-- columns: room uuid, teacher uuid, student uuid, head int8, closed bool, changed_us int8
SELECT c.room_id AS room, c.teacher_id AS teacher, c.student_id AS student,
       coalesce(r.head, 0) AS head,
       (r.id IS NULL OR r.deleted_at IS NOT NULL) AS closed,
       c.changed_us
FROM (
    SELECT room_id, teacher_id, student_id, public.chatgate_us(max(changed_at)) AS changed_us
    FROM public.chat_room_changes
    WHERE changed_at >= public.chatgate_timestamptz($1::int8) AND room_id IS NOT NULL
      AND (teacher_id = ANY ($2::uuid[]) OR student_id = ANY ($2::uuid[]))
    GROUP BY room_id, teacher_id, student_id
) c
LEFT JOIN public.chat_rooms r ON r.id = c.room_id
ORDER BY c.changed_us
