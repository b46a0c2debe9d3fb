-- Make a rule hold only, since it hits more senders than its ceiling allows.
-- params:  $1 rule_id text, $2 rule_set int8 (under which it did), $3 note text, $4 node text
-- columns: rule_set int8 null (the new one; null: another set is in force already)
SELECT public.chatgate_hold_rule($1::text, $2::int8, $3::text, $4::text) AS rule_set
