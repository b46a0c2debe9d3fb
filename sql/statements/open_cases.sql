-- A case for each pending message that has none, so that unscreened finds it.
-- params:  $1 limit int4
-- columns: opened int8
SELECT public.chatgate_open_cases($1::int4) AS opened
