-- One live user, with what limits their access. No row: missing or soft-deleted.
-- params:  $1 user uuid
-- columns: id uuid, role text, first_name text, last_name text, valid_after_us int8 null,
--          suspended_until_us int8 null
SELECT u.id, u.role::text, coalesce(u.first_name, '')::text AS first_name,
       coalesce(u.last_name, '')::text AS last_name,
       public.chatgate_us(a.valid_after) AS valid_after_us,
       public.chatgate_us(a.suspended_until) AS suspended_until_us
FROM public.users u
LEFT JOIN public.user_access a ON a.user_id = u.id
WHERE u.id = $1::uuid AND u.deleted_at IS NULL
