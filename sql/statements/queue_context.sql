-- The conversation around a message, of every status, oldest first. The look is in the audit
-- log. No row: no such message.
-- params:  $1 viewer uuid, $2 message uuid, $3 before int4, $4 after int4, $5 node text
-- columns: id uuid, room uuid, sender uuid, status text, seq int8 null, removed bool, text text
--          (also if removed: a moderator may see it), at_us int8, delayed bool, reason text null,
--          version int4, focus bool, teacher uuid, student uuid, piece bool (part of what was found in
--          the message asked for)
SELECT m.id, m.room, m.sender, m.status, m.seq, m.removed, m.text, m.at_us, m.delayed, m.reason,
       m.version, m.focus, m.teacher, m.student,
       coalesce(c.detail -> 'earlier' ? m.id::text, false) AS piece
FROM public.chatgate_context($1::uuid, $2::uuid, $3::int4, $4::int4, $5::text) m
LEFT JOIN public.moderation_cases c ON c.message_id = $2::uuid
