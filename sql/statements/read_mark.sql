-- Move a user's read mark: never back, never past the room's head. No row: not_found.
-- params:  $1 user uuid, $2 room uuid, $3 seq int8
-- columns: seq int8 (where the mark stands now), moved bool, peer uuid
SELECT seq, moved, peer FROM public.chatgate_read_mark($1::uuid, $2::uuid, $3::int8)
