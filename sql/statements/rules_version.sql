-- The number of the rule set in force. 0: none was ever stored, the shipped rules hold alone.
-- params:  none
-- columns: rule_set int8
SELECT coalesce(max(rule_set), 0) AS rule_set
FROM public.moderation_rule_sets
