-- SPDX-License-Identifier: Apache-2.0
-- What operators do beside verdicts: users, restrictions, rule sets.
SET lock_timeout = '2s';
SET client_min_messages = warning;

CREATE OR REPLACE FUNCTION public.chatgate_user_upsert(
    p_id uuid, p_email text, p_first_name text, p_last_name text, p_role text,
    p_password_hash text, OUT id uuid, OUT created boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'utc';
BEGIN
    created := true;
    INSERT INTO public.users AS u
        (id, email, password_hash, first_name, last_name, role, created_at, updated_at)
    VALUES (coalesce(p_id, gen_random_uuid()), p_email, coalesce(p_password_hash, ''),
            p_first_name, p_last_name, p_role, utc_now, utc_now)
    ON CONFLICT (email) DO NOTHING
    RETURNING u.id INTO id;
    IF FOUND THEN
        RETURN;
    END IF;

    created := false;
    UPDATE public.users u
    SET first_name = p_first_name, last_name = p_last_name, role = p_role, deleted_at = NULL,
        password_hash = coalesce(p_password_hash, u.password_hash), updated_at = utc_now
    WHERE u.email = p_email
    RETURNING u.id INTO id;
END
$$;

-- NULL: no such user.
CREATE OR REPLACE FUNCTION public.chatgate_user_set_password(p_email text, p_password_hash text)
RETURNS uuid
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    UPDATE public.users u
    SET password_hash = p_password_hash, updated_at = clock_timestamp() AT TIME ZONE 'utc'
    WHERE u.email = p_email AND u.deleted_at IS NULL
    RETURNING u.id INTO found_id;
    IF found_id IS NOT NULL THEN
        INSERT INTO public.user_access AS a (user_id, valid_after)
        VALUES (found_id, clock_timestamp())
        ON CONFLICT (user_id) DO UPDATE SET valid_after = excluded.valid_after;
    END IF;
    RETURN found_id;
END
$$;

CREATE OR REPLACE FUNCTION public.chatgate_user_restrict(
    p_user uuid, p_until_us bigint, p_actor uuid, p_reason text, p_node text,
    OUT user_id uuid, OUT valid_after_us bigint, OUT suspended_until_us bigint)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM public.users u WHERE u.id = p_user) THEN
        RETURN;
    END IF;
    INSERT INTO public.user_access AS a (user_id, valid_after, suspended_until, reason)
    VALUES (p_user, clock_timestamp(), public.chatgate_timestamptz(p_until_us), p_reason)
    ON CONFLICT (user_id) DO UPDATE
    SET valid_after = excluded.valid_after, suspended_until = excluded.suspended_until,
        reason = excluded.reason
    RETURNING a.user_id, public.chatgate_us(a.valid_after), public.chatgate_us(a.suspended_until)
    INTO user_id, valid_after_us, suspended_until_us;
    INSERT INTO public.moderation_audit (action, user_id, actor_id, node, reason)
    VALUES ('restrict', p_user, p_actor, p_node, p_reason);
    RETURN NEXT;
END
$$;

-- The rules of a set become a new version as a whole, or not at all.
CREATE OR REPLACE FUNCTION public.chatgate_store_rules(
    p_rules jsonb, p_actor uuid, p_note text, p_node text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO public.moderation_rule_sets (made_by, node, note)
    VALUES (p_actor, p_node, p_note)
    RETURNING rule_set INTO made;
    INSERT INTO public.moderation_rules (rule_set, rule_id, body)
    SELECT made, r.body ->> 'id', r.body
    FROM jsonb_array_elements(p_rules) AS r (body);
    INSERT INTO public.moderation_audit (action, actor_id, node, note, rule_set)
    VALUES ('rules', p_actor, p_node, p_note, made);
    PERFORM public.chatgate_hint('rules', made::text);
    RETURN made;
END
$$;
