-- Make the missing rooms of the next active bookings, in the order of their ids. Start with null,
-- go on with last until it comes back null. Resumable anywhere: what exists is left alone.
-- params:  $1 after_booking uuid null, $2 batch int4
-- columns: last uuid null, looked_at int4, made int4
SELECT last, looked_at, made FROM public.chatgate_backfill_batch($1::uuid, $2::int4)
