-- Verdicts on pending messages, many at once, each by compare-and-set on (status, version). The
-- loser of a race gets already_decided with the winner's verdict.
-- params:  $1 moderator uuid, $2 id uuid[], $3 version int4[] (0: any), $4 verdict text[]
--          (deliver|block), $5 reason text[], $6 note text[], $7 claim int8[] (the fencing token;
--          0 or null: none), $8 node text
-- columns: ord int4, result text (decided|already_decided|not_found|own_room|claimed),
--          id uuid, room uuid null, sender uuid null, cid uuid null, status text null,
--          seq int8 null, version int4 null, text text null (null if removed), at_us int8 null,
--          reason text null, teacher uuid null, student uuid null, decided_by uuid null,
--          removed_seq int8 null
SELECT ord, result, id, room, sender, cid, status, seq, version, text, at_us, reason, teacher,
       student, decided_by, removed_seq
FROM public.chatgate_decide($1::uuid, $2::uuid[], $3::int4[], $4::text[], $5::text[], $6::text[],
                            $7::int8[], $8::text)
