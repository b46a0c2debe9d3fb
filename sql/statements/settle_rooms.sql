-- Number what other programs delivered or removed and their trigger could not (a lock was held).
-- Run each few seconds; it finds nothing then.
-- params:  $1 limit int4 (rooms)
-- columns: room uuid, settled int4
SELECT room, settled FROM public.chatgate_settle_rooms($1::int4)
