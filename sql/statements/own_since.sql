-- A sender's own messages without a place in history: all that are pending, and those that a
-- verdict met after a moment (blocked, or delivered late). since null: the pending ones only. A
-- page of them, oldest first; the cursor is the last row's (at_us, id), or (0, nil). The pending
-- branch asks for deleted_at in words that no partial index has, so that it can't be read by the
-- index of everybody's pending messages.
-- params:  $1 user uuid, $2 since_us int8 null, $3 after_us int8, $4 after_id uuid, $5 limit int4
-- columns: id uuid, room uuid, sender uuid, cid uuid null, status text, seq int8 null,
--          removed_seq int8 null, text text null (null if removed), at_us int8, delayed bool,
--          reason text null, version int4, teacher uuid, student uuid,
--          decided_us int8 null
SELECT m.id, m.chat_room_id AS room, m.sender_id AS sender, m.cid, m.status::text, m.seq,
       m.removed_seq, CASE WHEN m.removed_seq IS NULL THEN m.message_text END AS text,
       coalesce(public.chatgate_us(m.created_at), 0) AS at_us, m.delayed,
       m.verdict_reason AS reason, m.version, r.teacher_id AS teacher, r.student_id AS student,
       public.chatgate_us(m.moderation_completed_at) AS decided_us
FROM (
    (SELECT p.*
     FROM public.messages p
     WHERE p.sender_id = $1::uuid AND (p.status <> 'delivered' OR p.delayed)
       AND p.moderation_completed_at IS NULL
       AND p.status = 'pending_moderation' AND (p.deleted_at IS NULL) IS TRUE)
    UNION ALL
    (SELECT d.*
     FROM public.messages d
     WHERE d.sender_id = $1::uuid AND (d.status <> 'delivered' OR d.delayed)
       AND d.moderation_completed_at > public.chatgate_timestamp($2::int8)
       AND d.status IN ('blocked', 'delivered'))
) m
JOIN public.chat_rooms r ON r.id = m.chat_room_id AND r.deleted_at IS NULL
WHERE (coalesce(public.chatgate_us(m.created_at), 0), m.id) > ($3::int8, $4::uuid)
ORDER BY at_us, m.id
LIMIT $5::int4
