-- SPDX-License-Identifier: Apache-2.0
-- chatgate: no-transaction
-- What the metrics of rooms are counted from, cheaply, however many bookings there are.
--
-- Rooms made, by way: every node reads on in chat_room_changes from where it was. By id or by time
-- that would miss rows, since both are given before the commit; so a row carries its transaction,
-- and is read once all transactions up to its own have ended. Rows from before have none.
--
-- Bookings and rooms at all, and the rooms that were missing: a count that reads both tables whole.
-- The backfill does that anyway, every half hour; it leaves what it saw in chat_room_census.
SET lock_timeout = '2s';
SET client_min_messages = warning;
DO $$
BEGIN
    -- Bookings wait behind a lock that is waited for: short tries, as in 050.
    SET LOCAL lock_timeout = '100ms';
    FOR attempt IN 1..100 LOOP
        BEGIN
            ALTER TABLE public.chat_room_changes ADD COLUMN IF NOT EXISTS xid xid8;
            ALTER TABLE public.chat_room_changes ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
END
$$;

CREATE TABLE IF NOT EXISTS public.chat_room_census (
    latest boolean PRIMARY KEY DEFAULT true CHECK (latest), -- one row
    taken_at timestamptz NOT NULL,
    active_bookings bigint NOT NULL,
    rooms bigint NOT NULL,
    missing bigint NOT NULL -- rooms that this backfill found missing
);

CREATE OR REPLACE FUNCTION public.chatgate_take_census(found_missing bigint) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO public.chat_room_census (taken_at, active_bookings, rooms, missing)
    SELECT clock_timestamp(),
           (SELECT count(*)
            FROM public.bookings b
            WHERE b.status = 'active' AND b.deleted_at IS NULL),
           (SELECT count(*) FROM public.chat_rooms r WHERE r.deleted_at IS NULL),
           found_missing
    ON CONFLICT (latest) DO UPDATE
    SET taken_at = excluded.taken_at, active_bookings = excluded.active_bookings,
        rooms = excluded.rooms, missing = excluded.missing
$$;

-- chatgate: next
DO $$
BEGIN
    -- What a build leaves that was broken off; one at work is not touched.
    IF EXISTS (
        SELECT
        FROM pg_index i
        WHERE i.indexrelid = to_regclass('public.chat_room_changes_xid_idx') AND NOT i.indisvalid
          AND NOT EXISTS (
              SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
    ) THEN
        DROP INDEX public.chat_room_changes_xid_idx;
    END IF;
END
$$;

-- chatgate: next
SET lock_timeout = 0;
-- chatgate: next
CREATE INDEX CONCURRENTLY IF NOT EXISTS chat_room_changes_xid_idx
    ON public.chat_room_changes (xid, id) WHERE xid IS NOT NULL;
-- chatgate: next
SELECT public.chatgate_take_census((SELECT count(*) FROM public.chatgate_missing_rooms(false)));
