-- A page of a room for its member: back from before (or from the end) descending, or on from
-- after ascending. No row: nothing there, or not a member (ask member).
-- params:  $1 user uuid, $2 room uuid, $3 before int8 null, $4 after int8 null, $5 limit int4
-- columns: seq int8, id uuid, sender uuid, cid uuid null (own messages only), text text null
--          (null if removed), at_us int8, delayed bool, removed bool, teacher uuid, student uuid
SELECT m.seq, m.id, m.sender_id AS sender, CASE WHEN m.sender_id = $1::uuid THEN m.cid END AS cid,
       CASE WHEN m.removed_seq IS NULL THEN m.message_text END AS text,
       coalesce(public.chatgate_us(m.created_at), 0) AS at_us, m.delayed,
       m.removed_seq IS NOT NULL AS removed, r.teacher_id AS teacher, r.student_id AS student
FROM public.chat_rooms r
CROSS JOIN LATERAL (
    (SELECT b.*
     FROM public.messages b
     WHERE $4::int8 IS NULL AND b.chat_room_id = r.id
       AND b.seq < coalesce($3::int8, 9223372036854775807)
     ORDER BY b.seq DESC
     LIMIT $5::int4)
    UNION ALL
    (SELECT a.*
     FROM public.messages a
     WHERE a.chat_room_id = r.id AND a.seq > $4::int8
       AND a.seq < coalesce($3::int8, 9223372036854775807)
     ORDER BY a.seq
     LIMIT $5::int4)
) m
WHERE r.id = $2::uuid AND r.deleted_at IS NULL AND $1::uuid IN (r.teacher_id, r.student_id)
ORDER BY CASE WHEN $4::int8 IS NULL THEN -m.seq ELSE m.seq END
