-- Pending messages that no rules have seen, the oldest of each sender and room: the next one's turn
-- comes when that one is screened, so they keep their order. Left out: closed rooms, senders who
-- are no members, and what a moderator is looking at. Longer texts than any that is screened are
-- cut: they are held.
-- params:  $1 limit int4
-- columns: id uuid, room uuid, sender uuid, version int4, text text, at_us int8
SELECT m.id, m.chat_room_id AS room, m.sender_id AS sender, m.version, 
       left(m.message_text, 65537) AS text,
       coalesce(public.chatgate_us(m.created_at), 0) AS at_us
FROM (
    SELECT DISTINCT ON (c.room_id, c.sender_id) c.message_id, c.claim_until
    FROM public.moderation_cases c
    JOIN public.messages p ON p.id = c.message_id
    JOIN public.chat_rooms r ON r.id = p.chat_room_id
    WHERE c.rule_set IS NULL AND c.decided_at IS NULL
      AND p.status = 'pending_moderation' AND p.deleted_at IS NULL AND r.deleted_at IS NULL
      AND p.sender_id IN (r.teacher_id, r.student_id)
    ORDER BY c.room_id, c.sender_id, c.opened_at, c.message_id
) c
JOIN public.messages m ON m.id = c.message_id
WHERE c.claim_until IS NULL OR c.claim_until < clock_timestamp()
LIMIT $1::int4
