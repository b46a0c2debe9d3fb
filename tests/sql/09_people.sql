-- SPDX-License-Identifier: Apache-2.0
-- Users, what limits them, and the ledger.
BEGIN;
SELECT no_plan();
\i :statements

-- Users.
EXECUTE user_upsert(NULL, 'anna@example.test', 'Анна', 'Смирнова', 'teacher', 'hash-1') \gset a_
SELECT is(:'a_created'::text, 't', 'added');
EXECUTE user_upsert(NULL, 'anna@example.test', 'Анна', 'Петрова', 'teacher', NULL) \gset b_
SELECT ok(:'b_created' = 'f' AND :'b_id' = :'a_id', 'changed');
EXECUTE user_by_email('anna@example.test') \gset u_
SELECT ok(:'u_id' = :'a_id' AND :'u_password_hash' = 'hash-1', 'found, the password kept');
EXECUTE user_by_email('Anna@Example.test') \gset v_
SELECT is(:'v_id'::text, :'a_id', 'also with capitals');
SELECT is_empty($$EXECUTE user_by_email('nobody@example.test')$$, 'nobody');
EXECUTE user_load(:'a_id') \gset l_
SELECT ok(:'l_role' = 'teacher' AND NOT :{?l_valid_after_us} AND NOT :{?l_suspended_until_us}, 'loaded');
EXECUTE user_set_password('anna@example.test', 'hash-2') \gset p_
SELECT is(:'p_id'::text, :'a_id', 'a new password');
EXECUTE user_load(:'a_id') \gset l_
SELECT ok(:l_valid_after_us > 0, 'voids the tokens from before');
SELECT is_empty($$EXECUTE user_set_password('nobody@example.test', 'x')$$, 'nobody''s');

-- Restrictions.
EXECUTE now \gset
SELECT t.person('moderator') AS moderator \gset
SELECT is_empty(format('EXECUTE user_restrict(%L, NULL, NULL, NULL, ''n'')', gen_random_uuid()), 'nobody is restricted');
EXECUTE user_restrict(:'a_id', :now_us + 3600000000, :'moderator', 'abuse', 'n') \gset r_
SELECT ok(:r_suspended_until_us = :now_us + 3600000000 AND :r_valid_after_us >= :now_us, 'suspended');
EXECUTE access_changed(:now_us) \gset c_
SELECT ok(:'c_user' = :'a_id' AND :'c_role' = 'teacher' AND :'c_deleted' = 'f'
          AND :c_suspended_until_us = :r_suspended_until_us, 'nodes learn of it');
SELECT is(count(*), 1::bigint, 'it is audited')
FROM moderation_audit WHERE action = 'restrict' AND user_id = :'a_id' AND actor_id = :'moderator';

-- The platform's own changes.
EXECUTE now \gset
SELECT is_empty(format('EXECUTE access_changed(%s)', :'now_us'), 'nothing new');
UPDATE users SET first_name = 'Анна-Мария' WHERE id = :'a_id';
SELECT is_empty(format('EXECUTE access_changed(%s)', :'now_us'), 'a name is no access');
UPDATE users SET role = 'student' WHERE id = :'a_id';
EXECUTE access_changed(:now_us) \gset c_
SELECT is(:'c_role'::text, 'student', 'a role');
EXECUTE now \gset
UPDATE users SET deleted_at = now() WHERE id = :'a_id';
EXECUTE access_changed(:now_us) \gset c_
SELECT ok(:'c_deleted' = 't' AND NOT :{?c_role}, 'a soft delete');
SELECT is_empty(format('EXECUTE user_load(%L)', :'a_id'), 'who is gone');
SELECT is_empty($$EXECUTE user_by_email('anna@example.test')$$, 'cannot sign in');
EXECUTE user_upsert(NULL, 'anna@example.test', 'Анна', 'Петрова', 'teacher', NULL) \gset b_
EXECUTE access_changed(:now_us) \gset c_
SELECT is(:'c_deleted'::text, 'f', 'and back');
EXECUTE now \gset
DELETE FROM users WHERE id = :'a_id';
EXECUTE access_changed(:now_us) \gset c_
SELECT ok(:'c_user' = :'a_id' AND :'c_deleted' = 't', 'deleted for good');
EXECUTE now \gset
UPDATE user_access SET suspended_until = 'infinity' WHERE user_id = :'a_id';
EXECUTE access_changed(:now_us) \gset c_
SELECT is(:c_suspended_until_us, 9223372036854775807, 'also what is changed by hand');

-- The ledger.
EXECUTE ledger_record(50, 'chat_on_booking', 'abc', 12, false);
EXECUTE ledger_list \gset m_
SELECT ok(:m_version = 50 AND :'m_name' = 'chat_on_booking' AND :'m_adopted' = 'f' AND :m_applied_us > 0, 'the ledger');
SELECT throws_ok($$EXECUTE ledger_record(50, 'x', 'y', 1, true)$$, '23505', NULL, 'a version once');

SELECT * FROM finish();
ROLLBACK;
