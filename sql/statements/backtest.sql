-- A page of stored messages in the order of their ids, for rules to be tried on. A page holds
-- `limit` messages whatever the range, so that each costs the same; those outside come without text.
-- params:  $1 after uuid null, $2 limit int4, $3 since_us int8, $4 until_us int8
-- columns: id uuid, in_range bool, at_us int8, sender uuid, role text null, status text,
--          decided_by uuid null, overturned bool, text text null
SELECT p.id, p.in_range, public.chatgate_us(p.created_at) AS at_us, p.sender_id AS sender,
       u.role::text AS role, p.status::text AS status, c.decided_by,
       coalesce(c.overturned, false) AS overturned,
       CASE WHEN p.in_range THEN p.message_text END AS text
FROM (
    SELECT m.*, m.created_at >= public.chatgate_timestamp($3::int8)
                AND m.created_at < public.chatgate_timestamp($4::int8)
                AND m.deleted_at IS NULL AS in_range
    FROM public.messages m
    WHERE m.id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
    ORDER BY m.id
    LIMIT $2::int4
) p
LEFT JOIN public.users u ON u.id = p.sender_id
LEFT JOIN public.moderation_cases c ON c.message_id = p.id
ORDER BY p.id
