-- Take back delivered messages, whenever. Each takes removed_seq; its text is given no more.
-- params:  $1 moderator uuid, $2 id uuid[], $3 version int4[] (0: any), $4 reason text[],
--          $5 note text[], $6 node text
-- columns: ord int4, result text (removed|already_decided|not_delivered|not_found|own_room),
--          id uuid, room uuid null, sender uuid null, cid uuid null, status text null,
--          seq int8 null, version int4 null, text text null (null if removed), at_us int8 null,
--          reason text null, teacher uuid null, student uuid null, decided_by uuid null,
--          removed_seq int8 null
SELECT ord, result, id, room, sender, cid, status, seq, version, text, at_us, reason, teacher,
       student, decided_by, removed_seq
FROM public.chatgate_remove($1::uuid, $2::uuid[], $3::int4[], $4::text[], $5::text[], $6::text)
