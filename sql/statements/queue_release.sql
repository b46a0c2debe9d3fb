-- Give leases back.
-- params:  $1 moderator uuid, $2 id uuid[], $3 token int8[] (0 or null: any of mine), $4 node text
-- columns: ord int4, result text (released|not_holder|not_found), id uuid, room uuid null
SELECT ord, result, id, room
FROM public.chatgate_release($1::uuid, $2::uuid[], $3::int8[], $4::text)
