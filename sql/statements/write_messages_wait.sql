-- write_messages for rows that came back busy too often: waits for their rooms, up to the
-- connection's lock_timeout (55P03).
-- params:  $1 id uuid[], $2 room uuid[], $3 sender uuid[], $4 cid uuid[], $5 text text[],
--          $6 hash bytea[], $7 status text[] (delivered|blocked|pending_moderation),
--          $8 reason text[] (elements may be null), $9 rules jsonb[] (elements may be null: the
--          case's detail {"rules":[],"spans":[],"earlier":[]}), $10 rule_set int8, $11 node text,
--          $12 after uuid[] (the sender's last message in the room that the screening saw; nil:
--          none before it; null: not checked)
-- columns: ord int4 (1-based place in the input), result text
--          (new|dup|cid_conflict|busy|stale|no_room|not_member), id uuid, status text, seq int8 null,
--          at_us int8 null, reason text null, teacher uuid null, student uuid null
SELECT ord, result, id, status, seq, at_us, reason, teacher, student
FROM public.chatgate_write_messages($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[],
                                    $6::bytea[], $7::text[], $8::text[], $9::jsonb[],
                                    $10::int8, $11::text, true, $12::uuid[])
