-- Triggers on bookings that make chat rooms. Healthy: every row is ok.
-- columns: trigger text, ok bool, state text (enabled|disabled|missing|superseded), definition text
SELECT e.name AS trigger,
       e.wanted AND coalesce(t.tgenabled IN ('O', 'A'), false) AS ok,
       CASE WHEN t.oid IS NULL THEN 'missing'
            WHEN NOT e.wanted THEN 'superseded'
            WHEN t.tgenabled IN ('O', 'A') THEN 'enabled'
            ELSE 'disabled' END AS state,
       pg_get_triggerdef(t.oid) AS definition
FROM (VALUES ('booking_create_chat', true),
             ('booking_create_chat_update', true),
             ('lesson_completion_create_chat', false)) AS e (name, wanted)
LEFT JOIN (
    pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'public'::regnamespace
) ON t.tgname = e.name AND NOT t.tgisinternal
     AND (NOT e.wanted OR (c.relname = 'bookings' AND p.proname = 'create_chat_on_booking_active'))
WHERE e.wanted OR t.oid IS NOT NULL
ORDER BY e.name;
