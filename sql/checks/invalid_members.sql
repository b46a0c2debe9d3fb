-- Rooms whose teacher or student is nobody, or has another role. Healthy: no rows.
-- columns: room uuid, member text (teacher|student), user uuid, problem text
SELECT r.id AS room, m.member, m.user_id AS "user",
       CASE WHEN u.id IS NULL THEN 'no such user' ELSE 'role is ' || u.role END AS problem
FROM public.chat_rooms r
CROSS JOIN LATERAL (VALUES ('teacher', r.teacher_id), ('student', r.student_id)) AS m (member, user_id)
LEFT JOIN public.users u ON u.id = m.user_id
WHERE r.deleted_at IS NULL AND (u.id IS NULL OR u.role::text <> m.member)
ORDER BY r.id, m.member;
