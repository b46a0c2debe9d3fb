-- The rule set in force, or the last one up to a number. No row: there is none, the shipped rules
-- hold alone.
-- params:  $1 at_most int8 null
-- columns: rule_set int8, made_us int8, made_by uuid null, db_user text null, note text null,
--          rules text (a JSON array of {"id", "text"}, by id)
SELECT s.rule_set, public.chatgate_us(s.made_at) AS made_us, s.made_by,
       (SELECT a.db_user FROM public.moderation_audit a
        WHERE a.rule_set = s.rule_set AND a.action = 'rules' AND a.at >= s.made_at
        ORDER BY a.at LIMIT 1) AS db_user,
       s.note,
       coalesce((SELECT json_agg(r.body ORDER BY r.rule_id COLLATE "C")
                 FROM public.moderation_rules r
                 WHERE r.rule_set = s.rule_set), '[]'::json)::text AS rules
FROM public.moderation_rule_sets s
WHERE s.rule_set <= coalesce($1::int8, 9223372036854775807)
ORDER BY s.rule_set DESC
LIMIT 1
