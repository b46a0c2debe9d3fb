-- Kick and suspend: end the tokens issued until now, and refuse new ones until a moment.
-- No row: no such user. An operator's act, so it is in the audit log.
-- params:  $1 user uuid, $2 suspended_until_us int8 null (null: not suspended, a kick only),
--          $3 actor uuid null, $4 reason text null, $5 node text
-- columns: user uuid, valid_after_us int8, suspended_until_us int8 null
SELECT user_id AS "user", valid_after_us, suspended_until_us
FROM public.chatgate_user_restrict($1::uuid, $2::int8, $3::uuid, $4::text, $5::text)
