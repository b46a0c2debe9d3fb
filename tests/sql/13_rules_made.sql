-- SPDX-License-Identifier: Apache-2.0
-- A rule set that was seen stays as it was: nothing joins it in another transaction.
SELECT chatgate_put_rule(E'rule later\n label spam\n words x') AS made \gset
BEGIN;
SELECT plan(2);
SELECT throws_ok(
    format($$INSERT INTO moderation_rules VALUES (%s, 'f', '{"id": "f", "text": "rule f"}')$$, :made),
    '42501', NULL, 'no rule is added to it');
SAVEPOINT again;
SELECT lives_ok($$SELECT chatgate_put_rule('rule g')$$, 'a new set has it, also inside a savepoint');
SELECT * FROM finish();
ROLLBACK;
