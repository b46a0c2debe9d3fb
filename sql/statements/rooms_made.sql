-- Rooms made, revived and failed since a moment, by way: for the metrics.
-- params:  $1 since_us int8
-- columns: way text (trigger|lazy|backfill|platform), change text (created|revived|closed|failed),
--          rooms int8
SELECT way, change, count(*) AS rooms
FROM public.chat_room_changes
WHERE changed_at >= public.chatgate_timestamptz($1::int8)
GROUP BY way, change
ORDER BY way, change
