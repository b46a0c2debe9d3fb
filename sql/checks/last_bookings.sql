-- The last ten bookings: a room is made only when one becomes active.
-- columns: booking uuid, status text, created_at timestamp, updated_at timestamp, deleted bool,
--          lesson uuid, teacher uuid null, student uuid, room uuid null
SELECT b.id AS booking, b.status::text, b.created_at, b.updated_at,
       b.deleted_at IS NOT NULL AS deleted, b.lesson_id AS lesson, l.teacher_id AS teacher,
       b.student_id AS student, r.id AS room
FROM public.bookings b
LEFT JOIN public.lessons l ON l.id = b.lesson_id
LEFT JOIN public.chat_rooms r
       ON r.teacher_id = l.teacher_id AND r.student_id = b.student_id AND r.deleted_at IS NULL
ORDER BY b.created_at DESC, b.id
LIMIT 10;
