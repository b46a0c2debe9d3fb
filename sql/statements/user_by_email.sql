-- The live user who signs in with this address: as typed, else in lower case.
-- params:  $1 email text
-- columns: id uuid, role text, first_name text, last_name text, password_hash text null,
--          valid_after_us int8 null, suspended_until_us int8 null
SELECT u.id, u.role::text, coalesce(u.first_name, '')::text AS first_name,
       coalesce(u.last_name, '')::text AS last_name,
       u.password_hash::text,
       public.chatgate_us(a.valid_after) AS valid_after_us,
       public.chatgate_us(a.suspended_until) AS suspended_until_us
FROM public.users u
LEFT JOIN public.user_access a ON a.user_id = u.id
WHERE u.email IN ($1::text, lower($1::text)) AND u.deleted_at IS NULL
ORDER BY u.email = $1::text DESC
LIMIT 1
