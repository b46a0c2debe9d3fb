-- What was decided since a moment: in all, by operator, by reason and by rule (of the case).
-- params:  $1 since_us int8
-- columns: scope text (total|operator|reason|rule), key text null (the operator's uuid, the reason
--          code, the rule's id; null for the total and for automatic verdicts), delivered int8,
--          blocked int8, undone int8, removed int8, p50_ms int8 null, p95_ms int8 null (from
--          written to decided, verdicts of people only)
WITH acts AS MATERIALIZED (
    SELECT a.action, a.actor_id, a.reason, a.waited_ms, a.to_status, c.detail
    FROM public.moderation_audit a
    LEFT JOIN public.moderation_cases c ON c.message_id = a.message_id
    WHERE a.at >= public.chatgate_timestamptz($1::int8)
      AND a.action IN ('decide', 'undo', 'remove', 'screen', 'foreign')
), keyed AS (
    SELECT 'total'::text AS scope, NULL::text AS key, acts.* FROM acts
    UNION ALL
    SELECT 'operator', acts.actor_id::text, acts.* FROM acts
    UNION ALL
    SELECT 'reason', acts.reason, acts.* FROM acts
    UNION ALL
    SELECT 'rule', rule.id, acts.*
    FROM acts
    -- A rule stands in the case once for each place that it matched.
    CROSS JOIN LATERAL (
        SELECT DISTINCT element
        FROM jsonb_array_elements_text(
            CASE WHEN jsonb_typeof(acts.detail -> 'rules') = 'array' THEN acts.detail -> 'rules'
                 ELSE '[]'::jsonb END) AS element) AS rule (id)
)
SELECT scope, key,
       count(*) FILTER (WHERE action <> 'undo' AND to_status = 'delivered') AS delivered,
       count(*) FILTER (WHERE to_status = 'blocked') AS blocked,
       count(*) FILTER (WHERE action = 'undo') AS undone,
       count(*) FILTER (WHERE action = 'remove') AS removed,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY waited_ms) AS p50_ms,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY waited_ms) AS p95_ms
FROM keyed
GROUP BY scope, key
ORDER BY scope, key
