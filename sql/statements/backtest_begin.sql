-- About how many messages there are; and the audit log hears who reads them.
-- params:  $1 node text, $2 note text (what was asked for)
-- columns: messages int8 (an estimate)
WITH heard AS (
    INSERT INTO public.moderation_audit (action, node, note) VALUES ('backtest', $1::text, $2::text)
)
SELECT greatest(c.reltuples, 0)::bigint AS messages
FROM pg_class c
WHERE c.oid = 'public.messages'::regclass
