-- Bookings and rooms, as the last backfill counted them. No row before the first one.
-- params:  none
-- columns: taken_us int8, active_bookings int8, rooms int8, missing int8
SELECT public.chatgate_us(taken_at) AS taken_us, active_bookings, rooms, missing
FROM public.chat_room_census
