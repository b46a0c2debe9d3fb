-- The lag from the end of a pair's first lesson to their room. A room that was there before the
-- lesson ended has none.
-- columns: rooms int8, before_end int8, average_s numeric null, maximum_s numeric null,
--          over_an_hour int8
SELECT count(*) AS rooms,
       count(*) FILTER (WHERE lag_s <= 0) AS before_end,
       round(avg(lag_s) FILTER (WHERE lag_s > 0), 1) AS average_s,
       round(max(lag_s) FILTER (WHERE lag_s > 0), 1) AS maximum_s,
       count(*) FILTER (WHERE lag_s > 3600) AS over_an_hour
FROM (
    SELECT extract(epoch FROM r.created_at - min(l.end_time)) AS lag_s
    FROM public.chat_rooms r
    JOIN public.bookings b ON b.student_id = r.student_id AND b.deleted_at IS NULL
    JOIN public.lessons l
      ON l.id = b.lesson_id AND l.teacher_id = r.teacher_id AND l.deleted_at IS NULL
    WHERE r.deleted_at IS NULL AND l.end_time < now() AT TIME ZONE 'utc'
    GROUP BY r.id
) x;
