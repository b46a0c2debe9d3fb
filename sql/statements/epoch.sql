-- Which history of the database this is: another one means that numbers may have gone back.
-- params:  none
-- columns: epoch text (system identifier, timeline, the operator's number)
SELECT (SELECT system_identifier FROM pg_control_system())::text
       || '-' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
       || '-' || coalesce((SELECT value FROM public.chatgate_settings WHERE name = 'epoch'), '0')
       AS epoch
