-- Store a whole rule set as a new, immutable version; nodes hear of it by the hint "rules <n>".
-- params:  $1 rules jsonb (an array; each rule an object with a text id), $2 actor uuid null,
--          $3 note text null, $4 node text
-- columns: rule_set int8
SELECT public.chatgate_store_rules($1::jsonb, $2::uuid, $3::text, $4::text) AS rule_set
