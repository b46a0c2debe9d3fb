-- SPDX-License-Identifier: Apache-2.0
-- Rows that other programs of the platform insert and change are kept consistent, never refused.
--
-- The gateway's own writes don't pay: they carry a text_hash when they are inserted and a new
-- version when they change, and the WHEN clauses look at these before any function is called.
-- What goes wrong here is logged and never reaches the platform's statement; a number that could
-- not be taken (the room was locked for too long) is given by chatgate_settle_rooms soon after.
SET lock_timeout = '2s';
SET client_min_messages = warning;

-- The warnings don't tell SQLERRM: an error about a row may print the row. And they are WARNING,
-- not LOG: the server puts the statement beside a LOG, and the platform's may have a text in it.
--
-- AFTER, not BEFORE: a row that ON CONFLICT DO NOTHING drops must not have taken a number.
-- lock_timeout is below deadlock_timeout: the platform holds the row and waits for the room here,
-- a verdict holds the room and waits for the row; this side gives way.
CREATE OR REPLACE FUNCTION public.chatgate_adopt_message() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '300ms'
AS $$
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'utc';
    old_status text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END;
    decided boolean := NEW.status IN ('delivered', 'blocked')
                       AND NEW.status IS DISTINCT FROM old_status;
    gone boolean := NEW.seq IS NOT NULL AND NEW.removed_seq IS NULL
                    AND (NEW.deleted_at IS NOT NULL OR NEW.status <> 'delivered');
BEGIN
    UPDATE public.messages m
    SET version = m.version + CASE WHEN TG_OP = 'UPDATE' THEN 1 ELSE 0 END,
        created_at = coalesce(m.created_at, utc_now),
        delayed = m.delayed OR (decided AND old_status IS NOT DISTINCT FROM 'pending_moderation'),
        moderation_completed_at = CASE WHEN decided THEN coalesce(m.moderation_completed_at, utc_now)
                                       ELSE m.moderation_completed_at END
    WHERE m.id = NEW.id
      AND (TG_OP = 'UPDATE' OR m.created_at IS NULL
           OR (decided AND m.moderation_completed_at IS NULL));

    INSERT INTO public.moderation_audit
        (action, message_id, room_id, from_status, to_status, version, reason)
    SELECT 'foreign', m.id, m.chat_room_id, old_status,
           CASE WHEN gone THEN 'removed' ELSE m.status END, m.version, m.verdict_reason
    FROM public.messages m
    WHERE m.id = NEW.id AND (decided OR gone);

    IF NEW.status = 'pending_moderation' AND NEW.deleted_at IS NULL THEN
        INSERT INTO public.moderation_cases (message_id, room_id, sender_id, reason)
        VALUES (NEW.id, NEW.chat_room_id, NEW.sender_id, NEW.verdict_reason)
        ON CONFLICT DO NOTHING;
    ELSIF decided THEN
        UPDATE public.moderation_cases c
        SET decided_at = clock_timestamp(), claimed_by = NULL, claim_until = NULL
        WHERE c.message_id = NEW.id;
    END IF;

    IF gone OR (NEW.status = 'delivered' AND NEW.deleted_at IS NULL AND NEW.seq IS NULL) THEN
        BEGIN
            PERFORM public.chatgate_settle_room(NEW.chat_room_id);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'chat: message % of another program is numbered later (%)',
                NEW.id, SQLSTATE;
        END;
        PERFORM public.chatgate_hint('message', NEW.chat_room_id::text);
    END IF;
    IF NEW.status = 'pending_moderation' OR old_status = 'pending_moderation' THEN
        PERFORM public.chatgate_hint('pending', NEW.id::text);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'chat: message % of another program is left to the sweep (%)', NEW.id, SQLSTATE;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER chatgate_message_inserted
    AFTER INSERT ON public.messages
    FOR EACH ROW WHEN (NEW.text_hash IS NULL)
    EXECUTE FUNCTION public.chatgate_adopt_message();
CREATE OR REPLACE TRIGGER chatgate_message_changed
    AFTER UPDATE OF status, deleted_at ON public.messages
    FOR EACH ROW WHEN (NEW.version = OLD.version
                       AND (NEW.status IS DISTINCT FROM OLD.status
                            OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)))
    EXECUTE FUNCTION public.chatgate_adopt_message();

-- Access: whatever limits a user, by whomever, moves user_access.changed_at.
CREATE OR REPLACE FUNCTION public.chatgate_user_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.user_access (user_id)
    VALUES (OLD.id)
    ON CONFLICT (user_id) DO UPDATE SET changed_at = clock_timestamp();
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'chat: a change of access of user % was not noted (%)', OLD.id, SQLSTATE;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER chatgate_user_changed
    AFTER UPDATE OF deleted_at, role ON public.users
    FOR EACH ROW WHEN ((NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
                       OR NEW.role IS DISTINCT FROM OLD.role)
    EXECUTE FUNCTION public.chatgate_user_changed();
CREATE OR REPLACE TRIGGER chatgate_user_gone
    AFTER DELETE ON public.users
    FOR EACH ROW EXECUTE FUNCTION public.chatgate_user_changed();

CREATE OR REPLACE FUNCTION public.chatgate_access_changing() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    PERFORM public.chatgate_hint('access', NEW.user_id::text);
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER chatgate_access_changing
    BEFORE INSERT OR UPDATE ON public.user_access
    FOR EACH ROW EXECUTE FUNCTION public.chatgate_access_changing();

REVOKE ALL ON FUNCTION public.chatgate_adopt_message() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.chatgate_user_changed() FROM PUBLIC;
