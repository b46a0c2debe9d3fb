-- SPDX-License-Identifier: Apache-2.0
-- Rule sets are versions: made whole, in the order of their numbers, and never changed.
--
-- A row of moderation_rules is one rule in the format of moderation/RULES.md: body is
-- {"id": ..., "text": "rule ...\n ..."}. The rules that ship with the program are no rows. A row of
-- the same id takes the place of a shipped rule ("rule ID") or changes settings of it ("override
-- ID"); all others are added. So an upgrade of the program brings better shipped rules, and what
-- people decided here stays.
--
-- Nodes read the highest number. That is only right if numbers become visible in their order, so
-- who makes a version waits for who made the one before; and only if a version is whole when it is
-- seen, so no row joins it later.
SET lock_timeout = '2s';
SET client_min_messages = warning;

ALTER TABLE public.moderation_rule_sets
    ADD COLUMN IF NOT EXISTS made_xact xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE OR REPLACE FUNCTION public.chatgate_rules_turn() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- Before the statement, so before it takes its number.
    PERFORM pg_advisory_xact_lock(hashtext('chatgate rule sets'));
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER chatgate_rules_turn
    BEFORE INSERT ON public.moderation_rule_sets
    FOR EACH STATEMENT EXECUTE FUNCTION public.chatgate_rules_turn();

CREATE OR REPLACE FUNCTION public.chatgate_rules_made() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.moderation_audit (action, actor_id, node, note, rule_set)
    VALUES ('rules', NEW.made_by, NEW.node, NEW.note, NEW.rule_set);
    PERFORM public.chatgate_hint('rules', NEW.rule_set::text);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER chatgate_rules_made
    AFTER INSERT ON public.moderation_rule_sets
    FOR EACH ROW EXECUTE FUNCTION public.chatgate_rules_made();

CREATE OR REPLACE FUNCTION public.chatgate_rule_fits() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.moderation_rule_sets s
                   WHERE s.rule_set = NEW.rule_set AND s.made_xact = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'rule set % is made: a change is a new set', NEW.rule_set
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.body ->> 'id' IS DISTINCT FROM NEW.rule_id
       OR coalesce(NEW.body ->> 'text', '') = '' THEN
        RAISE EXCEPTION 'rule %: body needs its id and its text', NEW.rule_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER chatgate_rule_fits
    BEFORE INSERT ON public.moderation_rules
    FOR EACH ROW EXECUTE FUNCTION public.chatgate_rule_fits();

-- The rules of a set become a new version as a whole, or not at all. p_expected: the version that
-- the caller started from (0 = none was stored); another one in force refuses the change, 40001.
DROP FUNCTION IF EXISTS public.chatgate_store_rules(jsonb, uuid, text, text);
CREATE OR REPLACE FUNCTION public.chatgate_store_rules(
    p_rules jsonb, p_actor uuid, p_note text, p_node text, p_expected bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    made bigint;
    in_force bigint;
BEGIN
    INSERT INTO public.moderation_rule_sets (made_by, node, note)
    VALUES (p_actor, p_node, p_note)
    RETURNING rule_set INTO made;
    SELECT coalesce(max(s.rule_set), 0) INTO in_force
    FROM public.moderation_rule_sets s WHERE s.rule_set <> made;
    IF p_expected IS NOT NULL AND p_expected <> in_force THEN
        RAISE EXCEPTION 'the rules were changed meanwhile: % is in force, not %', in_force, p_expected
            USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO public.moderation_rules (rule_set, rule_id, body)
    SELECT made, r.body ->> 'id', r.body
    FROM jsonb_array_elements(p_rules) AS r (body);
    RETURN made;
END
$$;

-- The set in force, as p_rules of chatgate_store_rules. Taken under the lock of who makes versions.
CREATE OR REPLACE FUNCTION public.chatgate_rules_to_change() RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('chatgate rule sets'));
    RETURN coalesce((SELECT jsonb_agg(r.body ORDER BY r.rule_id)
                     FROM public.moderation_rules r
                     WHERE r.rule_set = (SELECT max(s.rule_set)
                                         FROM public.moderation_rule_sets s)), '[]');
END
$$;

-- For psql: adds one rule, or puts it in the place of the one with its id. The gateway compiles it
-- before it is in force; a bad one is refused there, with an alarm, and the set before it holds.
CREATE OR REPLACE FUNCTION public.chatgate_put_rule(p_text text, p_note text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    put text := substring(p_text FROM '(?n)^\s*(?:rule|override)\s+([a-z0-9._-]+)\s*$');
    rules jsonb := public.chatgate_rules_to_change();
BEGIN
    IF put IS NULL THEN
        RAISE EXCEPTION 'a rule begins with the line "rule ID" or "override ID"'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN public.chatgate_store_rules(
        (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(rules) e
         WHERE e ->> 'id' <> put)
        || jsonb_build_object('id', put, 'text', p_text),
        NULL, coalesce(p_note, 'put ' || put), NULL);
END
$$;

-- For psql: takes a row away; a shipped rule of that id is itself again. NULL: there is no such row.
CREATE OR REPLACE FUNCTION public.chatgate_drop_rule(p_id text, p_note text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    rules jsonb := public.chatgate_rules_to_change();
    kept jsonb := (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(rules) e
                   WHERE e ->> 'id' <> p_id);
BEGIN
    IF jsonb_array_length(kept) = jsonb_array_length(rules) THEN
        RETURN NULL;
    END IF;
    RETURN public.chatgate_store_rules(kept, NULL, coalesce(p_note, 'drop ' || p_id), NULL);
END
$$;

-- A rule that hits more senders than it may (its ceiling) only holds from now on. Several nodes
-- may see it at once: whoever comes second finds it done, and gets NULL.
CREATE OR REPLACE FUNCTION public.chatgate_hold_rule(p_id text, p_rule_set bigint, p_note text,
                                                     p_node text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    rules jsonb := public.chatgate_rules_to_change();
    own text := (SELECT e ->> 'text' FROM jsonb_array_elements(rules) e WHERE e ->> 'id' = p_id);
BEGIN
    -- Made by the verdicts of another set: whoever changed it may have mended the rule.
    IF p_rule_set <> coalesce((SELECT max(s.rule_set) FROM public.moderation_rule_sets s), 0) THEN
        RETURN NULL;
    END IF;
    RETURN public.chatgate_store_rules(
        (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(rules) e
         WHERE e ->> 'id' <> p_id)
        || jsonb_build_object('id', p_id, 'text', coalesce(rtrim(own, E'\n') || E'\n\n', '')
                              || 'override ' || p_id || E'\n  action hold\n'),
        NULL, p_note, p_node);
END
$$;
