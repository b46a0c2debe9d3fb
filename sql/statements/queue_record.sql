-- A sender's record, for the moderator who looks at a case. No row: no such user.
-- params:  $1 sender uuid
-- columns: user uuid, role text, first_name text, last_name text, created_us int8 null,
--          deleted bool, suspended_until_us int8 null, pending int8, delivered int8 (after a
--          case), blocked int8, removed int8, overturned int8 (verdicts undone)
SELECT u.id AS "user", u.role::text, coalesce(u.first_name, '')::text AS first_name,
       coalesce(u.last_name, '')::text AS last_name,
       public.chatgate_us(u.created_at) AS created_us, u.deleted_at IS NOT NULL AS deleted,
       public.chatgate_us(a.suspended_until) AS suspended_until_us,
       n.pending, n.delivered, n.blocked, n.removed, n.overturned
FROM public.users u
LEFT JOIN public.user_access a ON a.user_id = u.id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.status = 'pending_moderation'
                              AND m.deleted_at IS NULL) AS pending,
           count(*) FILTER (WHERE m.status = 'delivered' AND m.removed_seq IS NULL) AS delivered,
           count(*) FILTER (WHERE m.status = 'blocked') AS blocked,
           count(*) FILTER (WHERE m.removed_seq IS NOT NULL) AS removed,
           count(*) FILTER (WHERE c.overturned) AS overturned
    FROM public.moderation_cases c
    JOIN public.messages m ON m.id = c.message_id
    WHERE c.sender_id = u.id
) n
WHERE u.id = $1::uuid
