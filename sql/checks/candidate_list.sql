-- The twenty newest bookings that should have a chat room and have none.
-- columns: booking uuid, lesson uuid, teacher uuid, student uuid, created_at timestamp
SELECT b.id AS booking, l.id AS lesson, l.teacher_id AS teacher, b.student_id AS student,
       b.created_at
FROM public.bookings b
JOIN public.lessons l ON l.id = b.lesson_id
JOIN public.users t ON t.id = l.teacher_id
JOIN public.users s ON s.id = b.student_id
WHERE b.status = 'active' AND b.deleted_at IS NULL AND l.deleted_at IS NULL
  AND l.teacher_id <> b.student_id
  AND NOT EXISTS (
      SELECT
      FROM public.chat_rooms r
      WHERE r.teacher_id = l.teacher_id AND r.student_id = b.student_id AND r.deleted_at IS NULL)
ORDER BY b.created_at DESC, b.id
LIMIT 20;
