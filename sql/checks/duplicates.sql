-- Pairs with more than one room. Healthy: no rows; the unique constraint sees to it.
-- columns: teacher uuid, student uuid, rooms int8
SELECT teacher_id AS teacher, student_id AS student, count(*) AS rooms
FROM public.chat_rooms
GROUP BY teacher_id, student_id
HAVING count(*) > 1
ORDER BY rooms DESC, teacher_id, student_id;
