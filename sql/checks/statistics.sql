-- How much there is: lessons, bookings, rooms. What is soft-deleted does not count.
-- columns: name text, value int8
WITH rooms AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM public.messages m WHERE m.chat_room_id = r.id) AS used
    FROM public.chat_rooms r
    WHERE r.deleted_at IS NULL
)
SELECT name, value
FROM (
    SELECT 'lessons' AS name, count(*) AS value, 1 AS place
    FROM public.lessons
    WHERE deleted_at IS NULL
    UNION ALL
    SELECT 'completed lessons', count(*), 2
    FROM public.lessons
    WHERE deleted_at IS NULL AND end_time < now() AT TIME ZONE 'utc'
    UNION ALL
    SELECT 'upcoming lessons', count(*), 3
    FROM public.lessons
    WHERE deleted_at IS NULL AND start_time > now() AT TIME ZONE 'utc'
    UNION ALL
    SELECT 'lessons without end time', count(*), 4
    FROM public.lessons
    WHERE deleted_at IS NULL AND end_time IS NULL
    UNION ALL
    SELECT 'bookings ' || coalesce(status, 'without status'), count(*), 5
    FROM public.bookings
    WHERE deleted_at IS NULL
    GROUP BY status
    UNION ALL
    SELECT 'active bookings', count(*), 6
    FROM public.bookings
    WHERE deleted_at IS NULL AND status = 'active'
    UNION ALL
    SELECT 'rooms', count(*), 7 FROM rooms
    UNION ALL
    SELECT 'rooms with messages', count(*) FILTER (WHERE used), 8 FROM rooms
    UNION ALL
    SELECT 'empty rooms', count(*) FILTER (WHERE NOT used), 9 FROM rooms
) s
ORDER BY place, name;
