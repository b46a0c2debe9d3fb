-- The next slice of what happened to rooms, counted, for the metrics. Every change is in one slice
-- of a reader that hands in what the slice before gave as next; the first, with NULL, is empty and
-- tells where to begin. The slice ends before the oldest transaction that is still open. Of a database
-- with another history (next lies ahead of it) it begins anew.
-- How late a room was is looked up for the first of a slice only: seconds from the booking's last
-- update, and from the end of the pair's first lesson; 0 is a room that was there in time.
-- params:  $1 after_xid int8 null, $2 after_id int8, $3 limit int4, $4 looked_up int4
-- columns: next_xid int8, next_id int8, changes int8 (0: none), change text null (created|revived|
--          closed|failed), way text null (trigger|lazy|backfill|platform), sqlstate text null (of a
--          failure), after_booking_us int8 null, after_lesson_us int8 null
WITH slice AS MATERIALIZED (
    SELECT c.xid, c.id, c.change, c.way, c.sqlstate, c.teacher_id, c.student_id,
           c.changed_at AT TIME ZONE 'utc' AS changed_at,
           row_number() OVER (ORDER BY c.xid, c.id) AS place
    FROM public.chat_room_changes c
    WHERE (c.xid, c.id) > (coalesce($1::int8::text::xid8,
                                    pg_snapshot_xmin(pg_current_snapshot())), $2::int8)
      AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY c.xid, c.id
    LIMIT $3::int4
), counted AS (
    SELECT s.change, s.way, s.sqlstate, late.after_booking_us, late.after_lesson_us,
           count(*) AS changes
    FROM slice s
    LEFT JOIN LATERAL (
        SELECT public.chatgate_us(timestamp 'epoch' + greatest(
                   s.changed_at - min(b.updated_at), interval '0')) AS after_booking_us,
               public.chatgate_us(timestamp 'epoch' + greatest(
                   s.changed_at - min(l.end_time), interval '0')) AS after_lesson_us
        FROM public.bookings b
        JOIN public.lessons l ON l.id = b.lesson_id
        WHERE b.student_id = s.student_id AND b.status = 'active' AND b.deleted_at IS NULL
          AND l.teacher_id = s.teacher_id AND l.deleted_at IS NULL
        HAVING count(*) > 0
    ) late ON s.change = 'created' AND s.place <= $4::int4
    GROUP BY s.change, s.way, s.sqlstate, late.after_booking_us, late.after_lesson_us
), next AS (
    SELECT xid, id FROM slice WHERE place = $3::int4
    UNION ALL
    SELECT pg_snapshot_xmin(pg_current_snapshot()), 0
    WHERE NOT EXISTS (SELECT FROM slice WHERE place = $3::int4)
)
SELECT next.xid::text::int8 AS next_xid, next.id AS next_id, coalesce(c.changes, 0) AS changes,
       c.change, c.way, c.sqlstate, c.after_booking_us, c.after_lesson_us
FROM next
LEFT JOIN counted c ON true
