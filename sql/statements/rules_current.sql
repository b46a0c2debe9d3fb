-- The rule set in force. No row: none was ever stored, the built-in rules hold.
-- params:  none
-- columns: rule_set int8, made_us int8, rules text (a JSON array of rules)
SELECT s.rule_set, public.chatgate_us(s.made_at) AS made_us,
       coalesce((SELECT json_agg(r.body ORDER BY r.rule_id)
                 FROM public.moderation_rules r
                 WHERE r.rule_set = s.rule_set), '[]'::json)::text AS rules
FROM public.moderation_rule_sets s
ORDER BY s.rule_set DESC
LIMIT 1
