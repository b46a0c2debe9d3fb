-- Users whose access changed since a moment. The caller overlaps its windows by minutes, since a
-- change is stamped before its transaction commits, and applies what it reads idempotently.
-- params:  $1 since_us int8
-- columns: user uuid, role text null (null if deleted), deleted bool, valid_after_us int8 null,
--          suspended_until_us int8 null, changed_us int8
SELECT a.user_id AS "user",
       CASE WHEN u.deleted_at IS NULL THEN u.role::text END AS role,
       (u.id IS NULL OR u.deleted_at IS NOT NULL) AS deleted,
       public.chatgate_us(a.valid_after) AS valid_after_us,
       public.chatgate_us(a.suspended_until) AS suspended_until_us,
       public.chatgate_us(a.changed_at) AS changed_us
FROM public.user_access a
LEFT JOIN public.users u ON u.id = a.user_id
WHERE a.changed_at >= public.chatgate_timestamptz($1::int8)
ORDER BY a.changed_at
