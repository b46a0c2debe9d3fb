-- Set a live user's password hash and end the tokens issued before. No row: no such user.
-- params:  $1 email text, $2 password_hash text
-- columns: id uuid
SELECT id FROM public.chatgate_user_set_password($1::text, $2::text) AS id WHERE id IS NOT NULL
