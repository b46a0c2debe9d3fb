-- The functions behind the triggers and the backfill. Healthy: every row is ok.
-- columns: function text, ok bool, state text (present|missing|unsafe|superseded), returns text
SELECT e.name AS function,
       e.wanted AND p.oid IS NOT NULL AND (NOT e.definer OR coalesce(safe.ok, false)) AS ok,
       CASE WHEN p.oid IS NULL THEN 'missing'
            WHEN NOT e.wanted THEN 'superseded'
            WHEN e.definer AND safe.ok IS NOT TRUE THEN 'unsafe'
            ELSE 'present' END AS state,
       pg_get_function_result(p.oid) AS returns
FROM (VALUES ('create_chat_on_booking_active', true, true),
             ('create_chats_for_active_bookings', true, false),
             ('create_chats_for_completed_lessons', true, false),
             ('chatgate_make_room', true, false),
             ('chatgate_missing_rooms', true, false),
             ('chatgate_make_rooms', true, false),
             ('chatgate_backfill_rooms', true, false),
             ('chatgate_room_way', true, false),
             ('chatgate_hint', true, false),
             ('chatgate_log_rooms_made', true, true),
             ('chatgate_log_room_moved', true, true),
             ('create_chat_after_lesson_completion', false, false)) AS e (name, wanted, definer)
LEFT JOIN pg_proc p ON p.proname = e.name AND p.pronamespace = 'public'::regnamespace
CROSS JOIN LATERAL (
    SELECT p.prosecdef AND array_to_string(p.proconfig, ',') LIKE '%search_path=%' AS ok
) safe
WHERE e.wanted OR p.oid IS NOT NULL
ORDER BY e.name;
