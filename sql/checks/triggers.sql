-- Triggers that make chat rooms of bookings, and those that note and announce rooms. Healthy: every
-- row is ok.
-- columns: trigger text, ok bool, state text (enabled|disabled|changed|missing|superseded),
--          definition text
SELECT e.name AS trigger,
       e.wanted AND coalesce(t.tgenabled IN ('O', 'A') AND t.tgtype = e.type, false) AS ok,
       CASE WHEN t.oid IS NULL THEN 'missing'
            WHEN NOT e.wanted THEN 'superseded'
            WHEN t.tgenabled NOT IN ('O', 'A') THEN 'disabled'
            WHEN t.tgtype <> e.type THEN 'changed'
            ELSE 'enabled' END AS state,
       pg_get_triggerdef(t.oid) AS definition
-- type: pg_trigger.tgtype, when it fires: 1 each row, 2 before, 4 insert, 8 delete, 16 update.
FROM (VALUES ('booking_create_chat', true, 'bookings', 'create_chat_on_booking_active', 1 + 2 + 4),
             ('booking_create_chat_update', true, 'bookings', 'create_chat_on_booking_active',
              1 + 2 + 16),
             ('chatgate_rooms_made', true, 'chat_rooms', 'chatgate_log_rooms_made', 4),
             ('chatgate_room_moved', true, 'chat_rooms', 'chatgate_log_room_moved', 1 + 16),
             ('chatgate_room_gone', true, 'chat_rooms', 'chatgate_log_room_moved', 1 + 8),
             ('lesson_completion_create_chat', false, NULL, NULL, NULL))
     AS e (name, wanted, relation, function, type)
LEFT JOIN (
    pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'public'::regnamespace
) ON t.tgname = e.name AND NOT t.tgisinternal
     AND (NOT e.wanted OR (c.relname = e.relation AND p.proname = e.function))
WHERE e.wanted OR t.oid IS NOT NULL
ORDER BY e.name;
