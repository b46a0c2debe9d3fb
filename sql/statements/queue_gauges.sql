-- The queue's length and the age's origin. Index-only over the pending rows.
-- params:  none
-- columns: pending int8, oldest_us int8 null
SELECT (SELECT count(*)
        FROM public.messages
        WHERE status = 'pending_moderation' AND deleted_at IS NULL) AS pending,
       (SELECT public.chatgate_us(created_at)
        FROM public.messages
        WHERE status = 'pending_moderation' AND deleted_at IS NULL
        ORDER BY created_at, id
        LIMIT 1) AS oldest_us
