-- Messages by id, whatever their status: for moderators' events and for unknown outcomes.
-- params:  $1 id uuid[]
-- columns: id uuid, room uuid, sender uuid, cid uuid null, status text, seq int8 null,
--          removed_seq int8 null, text text null (null if removed), at_us int8, delayed bool,
--          reason text null, version int4, teacher uuid, student uuid
SELECT m.id, m.chat_room_id AS room, m.sender_id AS sender, m.cid, m.status::text, m.seq,
       m.removed_seq, CASE WHEN m.removed_seq IS NULL THEN m.message_text END AS text,
       coalesce(public.chatgate_us(m.created_at), 0) AS at_us, m.delayed,
       m.verdict_reason AS reason, m.version, r.teacher_id AS teacher, r.student_id AS student
FROM public.messages m
JOIN public.chat_rooms r ON r.id = m.chat_room_id
WHERE m.id = ANY ($1::uuid[])
