-- What each rule did since a moment: by the cases that name it, which is by messages.
-- params:  $1 since_us int8
-- columns: rule_id text, hits int8, senders int8, shadow int8 (hits that did nothing),
--          held int8 (waiting, or decided by a person), blocked int8 (by rules alone), upheld int8
--          (a person blocked it), overturned int8 (a person delivered it)
WITH hits AS (
    SELECT rule.id, rule.shadow, c.message_id, c.sender_id, c.decided_by, c.overturned, m.status
    FROM public.moderation_cases c
    JOIN public.messages m ON m.id = c.message_id
    CROSS JOIN LATERAL (
        SELECT DISTINCT element, false
        FROM jsonb_array_elements_text(
            CASE WHEN jsonb_typeof(c.detail -> 'rules') = 'array' THEN c.detail -> 'rules'
                 ELSE '[]'::jsonb END) AS element
        UNION ALL
        SELECT DISTINCT element, true
        FROM jsonb_array_elements_text(
            CASE WHEN jsonb_typeof(c.detail -> 'shadow') = 'array' THEN c.detail -> 'shadow'
                 ELSE '[]'::jsonb END) AS element
    ) AS rule (id, shadow)
    WHERE c.opened_at >= public.chatgate_timestamptz($1::int8)
)
SELECT id AS rule_id, count(*) AS hits, count(DISTINCT sender_id) AS senders,
       count(*) FILTER (WHERE shadow) AS shadow,
       count(*) FILTER (WHERE NOT shadow AND (status = 'pending_moderation'
                                              OR decided_by IS NOT NULL)) AS held,
       count(*) FILTER (WHERE NOT shadow AND status = 'blocked' AND decided_by IS NULL) AS blocked,
       count(*) FILTER (WHERE NOT shadow AND status = 'blocked'
                              AND decided_by IS NOT NULL) AS upheld,
       count(*) FILTER (WHERE NOT shadow AND status = 'delivered'
                              AND (decided_by IS NOT NULL OR overturned)) AS overturned
FROM hits
GROUP BY id
ORDER BY hits DESC, id
