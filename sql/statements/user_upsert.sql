-- Add a user, or change the one who has this address (a soft-deleted one comes back).
-- params:  $1 id uuid null (null: made here; ignored for a user who exists), $2 email text,
--          $3 first_name text, $4 last_name text, $5 role text,
--          $6 password_hash text null (null keeps the old one)
-- columns: id uuid, created bool
SELECT id, created
FROM public.chatgate_user_upsert($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text)
