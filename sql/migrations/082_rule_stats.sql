-- SPDX-License-Identifier: Apache-2.0
-- chatgate: no-transaction
-- Statistics of rules look at the cases of some days. Built while messages flow; what a build that
-- was broken off left behind is dropped first (see 061).
SET client_min_messages = warning;
SET lock_timeout = '2s';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index i
               WHERE i.indexrelid = to_regclass('public.chatgate_cases_opened_at')
                 AND NOT i.indisvalid
                 AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
                                 WHERE p.index_relid = i.indexrelid)) THEN
        DROP INDEX public.chatgate_cases_opened_at;
    END IF;
END
$$;

-- chatgate: next
SET lock_timeout = 0;
-- chatgate: next
CREATE INDEX CONCURRENTLY IF NOT EXISTS chatgate_cases_opened_at
    ON public.moderation_cases (opened_at);
