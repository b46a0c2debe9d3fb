-- Bookings that should have a chat room and have none. Healthy: 0 and 0; a backfill makes them.
-- columns: name text, bookings int8, rooms int8 (the pairs: how many rooms would be made)
WITH missing AS (
    SELECT l.teacher_id, b.student_id, l.end_time < now() AT TIME ZONE 'utc' AS completed
    FROM public.bookings b
    JOIN public.lessons l ON l.id = b.lesson_id
    JOIN public.users t ON t.id = l.teacher_id
    JOIN public.users s ON s.id = b.student_id
    WHERE b.status = 'active' AND b.deleted_at IS NULL AND l.deleted_at IS NULL
      AND l.teacher_id <> b.student_id
      AND NOT EXISTS (
          SELECT
          FROM public.chat_rooms r
          WHERE r.teacher_id = l.teacher_id AND r.student_id = b.student_id
            AND r.deleted_at IS NULL)
)
SELECT 'active bookings without a room' AS name, count(*) AS bookings,
       count(DISTINCT (teacher_id, student_id)) AS rooms
FROM missing
UNION ALL
SELECT 'completed lessons without a room', count(*), count(DISTINCT (teacher_id, student_id))
FROM missing
WHERE completed;
