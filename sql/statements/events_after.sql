-- What follows a number in each room, seq and removed_seq in one order. All of it is read in one
-- snapshot, and numbers commit in order, so a number missing between two that are here will never
-- come (its row was deleted by hand). Membership is the caller's to know.
-- params:  $1 room uuid[], $2 after int8[] (of the same length), $3 limit_per_room int4
-- columns: room uuid, number int8, kind text (message|removed), id uuid, sender uuid,
--          cid uuid null, seq int8, removed_seq int8 null, text text null (null if removed),
--          at_us int8, delayed bool
SELECT w.room, e.number, e.kind, e.id, e.sender, e.cid, e.seq, e.removed_seq, e.text, e.at_us,
       e.delayed
FROM unnest($1::uuid[], $2::int8[]) AS w (room, after)
CROSS JOIN LATERAL (
    (SELECT m.seq AS number, 'message'::text AS kind, m.id, m.sender_id AS sender, m.cid, m.seq,
            m.removed_seq, CASE WHEN m.removed_seq IS NULL THEN m.message_text END AS text,
            coalesce(public.chatgate_us(m.created_at), 0) AS at_us, m.delayed
     FROM public.messages m
     WHERE m.chat_room_id = w.room AND m.seq > w.after
     ORDER BY m.seq
     LIMIT $3::int4)
    UNION ALL
    (SELECT m.removed_seq, 'removed'::text, m.id, m.sender_id, m.cid, m.seq, m.removed_seq, NULL,
            coalesce(public.chatgate_us(m.created_at), 0), m.delayed
     FROM public.messages m
     WHERE m.chat_room_id = w.room AND m.removed_seq > w.after
     ORDER BY m.removed_seq
     LIMIT $3::int4)
    ORDER BY number
    LIMIT $3::int4
) e
ORDER BY w.room, e.number
