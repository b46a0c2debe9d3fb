-- Get or create the room of a pair. One room for a pair, whoever else makes it at once.
-- params:  $1 me uuid, $2 other uuid, $3 require_lesson bool, $4 node text
-- columns: outcome text (existing|created|revived|same_user|user_missing|wrong_role|no_lesson),
--          room uuid null
SELECT outcome, room
FROM public.chatgate_open_room($1::uuid, $2::uuid, $3::bool, $4::text)
