-- Active bookings whose lesson is missing, soft-deleted or has no teacher: they get no room.
-- columns: booking uuid, lesson uuid, student uuid, problem text
SELECT b.id AS booking, b.lesson_id AS lesson, b.student_id AS student,
       CASE WHEN l.id IS NULL THEN 'no such lesson'
            WHEN l.deleted_at IS NOT NULL THEN 'lesson is deleted'
            ELSE 'lesson has no teacher' END AS problem
FROM public.bookings b
LEFT JOIN public.lessons l ON l.id = b.lesson_id
WHERE b.status = 'active' AND b.deleted_at IS NULL
  AND (l.id IS NULL OR l.deleted_at IS NOT NULL OR l.teacher_id IS NULL)
ORDER BY b.id;
