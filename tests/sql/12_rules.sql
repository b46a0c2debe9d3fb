-- SPDX-License-Identifier: Apache-2.0
-- Rule sets: versions that are whole, in order, audited and never changed.
BEGIN;
SELECT no_plan();
\i :statements
SELECT t.person('moderator') AS moderator \gset

SELECT is_empty('EXECUTE rules_current(NULL)', 'no rules stored');
EXECUTE rules_version \gset v_
SELECT is(:v_rule_set, 0, 'which is version 0');

-- Whole sets.
EXECUTE rules_store('[{"id": "b", "text": "rule b"}, {"id": "a", "text": "rule a"}]', :'moderator', 'first', 'n', 0) \gset s1_
EXECUTE rules_current(NULL) \gset k_
SELECT ok(:k_rule_set = :s1_rule_set AND :'k_made_by' = :'moderator' AND :'k_note' = 'first'
          AND :'k_db_user' = 'postgres', 'a version says who and why');
SELECT is(:'k_rules'::jsonb, '[{"id": "a", "text": "rule a"}, {"id": "b", "text": "rule b"}]'::jsonb, 'and holds its rules by id');
EXECUTE rules_store('[{"id": "c", "text": "rule c"}]', NULL, NULL, NULL, :s1_rule_set) \gset s2_
EXECUTE rules_version \gset v_
SELECT ok(:v_rule_set = :s2_rule_set AND :s2_rule_set > :s1_rule_set, 'the last set is in force');
EXECUTE rules_current(:s1_rule_set) \gset k_
SELECT is(:k_rule_set, :s1_rule_set, 'older ones can be read');
SELECT throws_ok(format($$EXECUTE rules_store('[]', NULL, NULL, NULL, %s)$$, :s1_rule_set), '40001', NULL,
                 'who started from an older one is refused');
SELECT throws_ok($$EXECUTE rules_store('[{"id": "x", "text": "1"}, {"id": "x", "text": "2"}]', NULL, NULL, NULL, NULL)$$,
                 '23505', NULL, 'an id is given once');
SELECT throws_ok($$EXECUTE rules_store('[{"text": "x"}]', NULL, NULL, NULL, NULL)$$, '23502', NULL, 'an id is needed');
SELECT throws_ok($$EXECUTE rules_store('[{"id": "x"}]', NULL, NULL, NULL, NULL)$$, '23514', NULL, 'and a text');
SELECT is(count(*), 2::bigint, 'each version is audited') FROM moderation_audit WHERE action = 'rules';

-- One rule, by psql.
SELECT chatgate_put_rule(E'# why\nrule d\n  label spam\n  words дрянь', 'seen often') AS put \gset
SELECT results_eq('SELECT rule_id FROM moderation_rules WHERE rule_set = ' || :put || ' ORDER BY 1',
                  $$VALUES ('c'), ('d')$$, 'a rule joins the others');
SELECT chatgate_put_rule(E'override c\n state off') AS put \gset
SELECT results_eq('SELECT rule_id, body ->> ''text'' LIKE ''override%'' FROM moderation_rules WHERE rule_set = ' || :put || ' ORDER BY 1',
                  $$VALUES ('c', true), ('d', false)$$, 'and takes the place of its own id');
SELECT throws_ok($$SELECT chatgate_put_rule('words x')$$, '22023', NULL, 'it must say which it is');
SELECT chatgate_drop_rule('c') AS put \gset
SELECT results_eq('SELECT rule_id FROM moderation_rules WHERE rule_set = ' || :put, $$VALUES ('d')$$, 'a rule goes');
SELECT is(chatgate_drop_rule('c'), NULL, 'once');
SELECT results_eq($$SELECT note, db_user FROM moderation_audit WHERE action = 'rules' ORDER BY id DESC LIMIT 3$$,
                  $$VALUES ('drop c', 'postgres'), ('put c', 'postgres'), ('seen often', 'postgres')$$, 'all audited');

-- Too many hits.
SELECT chatgate_hold_rule('d', :put, 'too many', 'n1') AS held \gset
SELECT is(body ->> 'text', E'# why\nrule d\n  label spam\n  words дрянь\n\noverride d\n  action hold\n', 'a rule of ours holds only')
FROM moderation_rules WHERE rule_set = :held AND rule_id = 'd';
SELECT is(chatgate_hold_rule('d', :put, 'too many', 'n2'), NULL, 'the second node finds it done');
SELECT chatgate_hold_rule('shipped', :held, 'too many', 'n1') AS held \gset
SELECT is(body ->> 'text', E'override shipped\n  action hold\n', 'and so does one that ships')
FROM moderation_rules WHERE rule_set = :held AND rule_id = 'shipped';

-- By hand.
WITH made AS (INSERT INTO moderation_rule_sets (note) VALUES ('by hand') RETURNING rule_set)
INSERT INTO moderation_rules SELECT rule_set, 'e', '{"id": "e", "text": "rule e"}' FROM made;
SELECT is(note, 'by hand', 'plain SQL is audited as well') FROM moderation_audit ORDER BY id DESC LIMIT 1;
SELECT throws_ok('UPDATE moderation_rules SET body = ''{}''', '42501', NULL, 'a version is immutable');
SELECT throws_ok('DELETE FROM moderation_rule_sets', '42501', NULL, 'and stays');

SELECT * FROM finish();
ROLLBACK;
