-- What a message of a sender in a room is screened with: the last message that was screened, what is
-- known of sender and pair, and the last texts, newest first. No row: they are no member there.
-- Messages that no rules have seen yet are not part of it. The sender's other rooms tell of floods
-- only: the last texts of ten minutes. created_at is asked for in the rows that the walk by number
-- has found, not searched by.
-- params:  $1 room uuid, $2 sender uuid, $3 limit int4
-- columns: last uuid null, role text null, booked bool, offences int8 (blocked; at most 100),
--          events int8 (delivered or removed in the room), created_us int8 null, id uuid null,
--          other_room bool null, text text null, at_us int8 null (these null: no texts)
SELECT CASE $2::uuid WHEN r.teacher_id THEN r.teacher_last ELSE r.student_last END AS last,
       (SELECT u.role::text FROM public.users u WHERE u.id = $2::uuid) AS role,
       EXISTS (
           SELECT
           FROM public.bookings b
           JOIN public.lessons l ON l.id = b.lesson_id
           WHERE b.student_id = r.student_id AND b.deleted_at IS NULL
             AND b.status IN ('active', 'completed')
             AND l.teacher_id = r.teacher_id AND l.deleted_at IS NULL) AS booked,
       (SELECT count(*)
        FROM (
            SELECT
            FROM public.moderation_cases c
            JOIN public.messages m ON m.id = c.message_id
            WHERE c.sender_id = $2::uuid AND m.status = 'blocked'
            LIMIT 100
        ) b) AS offences,
       r.head AS events, public.chatgate_us(r.created_at) AS created_us,
       said.id, said.other_room, said.text, public.chatgate_us(said.created_at) AS at_us
FROM public.chat_rooms r
LEFT JOIN LATERAL (
    (SELECT own.*, false AS other_room
     FROM (
         (SELECT m.id, m.message_text AS text, m.created_at
          FROM (
              SELECT w.*
              FROM public.messages w
              WHERE w.chat_room_id = r.id AND w.seq IS NOT NULL
              ORDER BY w.seq DESC
              LIMIT 100
          ) m
          WHERE m.sender_id = $2::uuid
          ORDER BY m.seq DESC
          LIMIT $3::int4)
         UNION ALL
         (SELECT m.id, m.message_text, m.created_at
          FROM public.moderation_cases c
          JOIN public.messages m ON m.id = c.message_id
          WHERE c.room_id = r.id AND c.sender_id = $2::uuid AND m.seq IS NULL
            AND (c.rule_set IS NOT NULL OR m.status <> 'pending_moderation')
          ORDER BY c.opened_at DESC
          LIMIT $3::int4)
     ) own
     ORDER BY own.created_at DESC, own.id DESC
     LIMIT $3::int4)
    UNION ALL
    (SELECT m.id, m.message_text, m.created_at, true
     FROM (
         SELECT o.id
         FROM public.chat_rooms o
         WHERE (o.teacher_id = $2::uuid OR o.student_id = $2::uuid) AND o.id <> r.id
           AND o.last_message_at > clock_timestamp() AT TIME ZONE 'utc' - interval '10 minutes'
         ORDER BY o.last_message_at DESC
         LIMIT 8
     ) other
     CROSS JOIN LATERAL (
         SELECT w.*
         FROM public.messages w
         WHERE w.chat_room_id = other.id AND w.seq IS NOT NULL
         ORDER BY w.seq DESC
         LIMIT 2
     ) m
     WHERE m.sender_id = $2::uuid
       AND m.created_at > clock_timestamp() AT TIME ZONE 'utc' - interval '10 minutes'
     ORDER BY m.created_at DESC
     LIMIT 8)
) said ON true
WHERE r.id = $1::uuid AND $2::uuid IN (r.teacher_id, r.student_id)
ORDER BY said.created_at DESC NULLS LAST, said.id DESC
