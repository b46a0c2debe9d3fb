-- Store a whole rule set as a new, immutable version; nodes hear of it by the hint "rules <n>".
-- params:  $1 rules jsonb (an array of {"id", "text"}), $2 actor uuid null, $3 note text null,
--          $4 node text null, $5 expected int8 null (the version that this one follows; 40001 if
--          another one is in force)
-- columns: rule_set int8
SELECT public.chatgate_store_rules($1::jsonb, $2::uuid, $3::text, $4::text, $5::int8) AS rule_set
