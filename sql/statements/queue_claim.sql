-- Take or renew a lease on pending messages. A renewal keeps its fencing token, a new holder gets
-- a higher one; a lease ends by itself. Leases are not audited.
-- params:  $1 moderator uuid, $2 id uuid[], $3 lease_s int4, $4 node text
-- columns: ord int4, result text (claimed|held|already_decided|not_found|own_room), id uuid,
--          room uuid null, claimed_by uuid null, claim_until_us int8 null, claim_token int8 null
--          (held: the holder's, without the token)
SELECT ord, result, id, room, claimed_by, claim_until_us, claim_token
FROM public.chatgate_claim($1::uuid, $2::uuid[], $3::int4, $4::text)
