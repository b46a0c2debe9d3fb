-- A page of the queue, oldest first, without the viewer's own rooms. The cursor is the last row's
-- (at_us, id). LATERAL ... OFFSET 0: the planner takes LIMIT $3 for a tenth of the queue, and would
-- read the cases and users whole.
-- params:  $1 after_us int8 null, $2 after_id uuid null, $3 limit int4, $4 viewer uuid
-- columns: id uuid, room uuid, sender uuid, sender_first_name text, sender_last_name text,
--          sender_role text, text text, at_us int8, version int4, reason text null,
--          detail text null (JSON), claimed_by uuid null, claim_until_us int8 null,
--          claim_token int8 null (all three null unless the lease is live)
SELECT m.id, m.chat_room_id AS room, m.sender_id AS sender,
       coalesce(u.first_name, '')::text AS sender_first_name,
       coalesce(u.last_name, '')::text AS sender_last_name, u.role::text AS sender_role,
       m.message_text AS text, coalesce(public.chatgate_us(m.created_at), 0) AS at_us, m.version,
       m.verdict_reason AS reason, c.detail::text AS detail,
       lease.claimed_by, public.chatgate_us(lease.claim_until) AS claim_until_us,
       lease.claim_token
FROM (
    SELECT p.*
    FROM public.messages p
    JOIN public.chat_rooms r ON r.id = p.chat_room_id
    WHERE p.status = 'pending_moderation' AND p.deleted_at IS NULL
      AND (p.created_at, p.id)
          > (coalesce(public.chatgate_timestamp($1::int8), '-infinity'::timestamp),
             coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid))
      AND $4::uuid NOT IN (r.teacher_id, r.student_id)
    ORDER BY p.created_at, p.id
    LIMIT $3::int4
) m
LEFT JOIN LATERAL (
    SELECT p.first_name, p.last_name, p.role
    FROM public.users p
    WHERE p.id = m.sender_id
    OFFSET 0
) u ON true
LEFT JOIN LATERAL (
    SELECT k.detail, k.claimed_by, k.claim_until, k.claim_token
    FROM public.moderation_cases k
    WHERE k.message_id = m.id
    OFFSET 0
) c ON true
LEFT JOIN LATERAL (
    SELECT c.claimed_by, c.claim_until, c.claim_token
    WHERE c.claimed_by IS NOT NULL AND c.claim_until > clock_timestamp()
) lease ON true
ORDER BY m.created_at, m.id
