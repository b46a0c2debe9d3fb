-- The rules' verdicts on pending messages of other programs, by compare-and-set.
-- params:  $1 id uuid[], $2 version int4[], $3 status text[] (delivered|blocked|pending_moderation:
--          held for a person), $4 reason text[], $5 detail jsonb[] (as write_messages' rules),
--          $6 after uuid[] (as write_messages), $7 rule_set int8[], $8 node text
-- columns: ord int4, result text (decided|held|already_decided|claimed|stale|not_found),
--          id uuid, room uuid null, sender uuid null, cid uuid null, status text null,
--          seq int8 null, version int4 null, text text null (of decided ones), at_us int8 null,
--          reason text null, teacher uuid null, student uuid null, decided_by uuid null,
--          removed_seq int8 null
SELECT ord, result, id, room, sender, cid, status, seq, version, text, at_us, reason, teacher,
       student, decided_by, removed_seq
FROM public.chatgate_screen($1::uuid[], $2::int4[], $3::text[], $4::text[], $5::jsonb[],
                            $6::uuid[], $7::int8[], $8::text)
