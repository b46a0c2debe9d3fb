-- The versions of the rules, newest first: who, when, why.
-- params:  $1 limit int4
-- columns: rule_set int8, made_us int8, made_by uuid null, db_user text null, node text null,
--          note text null, rules int8
SELECT s.rule_set, public.chatgate_us(s.made_at) AS made_us, s.made_by, a.db_user, s.node, s.note,
       (SELECT count(*) FROM public.moderation_rules r WHERE r.rule_set = s.rule_set) AS rules
FROM (SELECT * FROM public.moderation_rule_sets ORDER BY rule_set DESC LIMIT $1::int4) s
LEFT JOIN LATERAL (
    SELECT a.db_user FROM public.moderation_audit a
    WHERE a.rule_set = s.rule_set AND a.action = 'rules' AND a.at >= s.made_at
    ORDER BY a.at LIMIT 1
) a ON true
ORDER BY s.rule_set DESC
