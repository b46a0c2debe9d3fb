# SPDX-License-Identifier: Apache-2.0
"""chatgate moderation: what people type to see, try, change and take back rules."""

import json
import subprocess

import pytest

from cluster import clean_environment, chatgate_binary

USAGE, DATAERR, NOINPUT = 64, 65, 66
OURS = """# Essays that are sold here.
rule test.essay
  label spam
  words сочинение*
  match продам сочинение
  clean изложение

rule test.lamp
  label spam
  words лампа
"""


@pytest.fixture
def cluster(make_cluster, request):
    """As it is after `migrate up`: the rules that other tests are made under are not there."""
    cluster = make_cluster(nodes=1 if "connect" in request.fixturenames else 0)
    with cluster.db.transaction():
        cluster.query("SET LOCAL session_replication_role = replica")
        cluster.query("TRUNCATE moderation_rules, moderation_rule_sets RESTART IDENTITY")
    yield cluster
    cluster.destroy()


@pytest.fixture
def moderation(cluster):
    def moderation(*arguments, stdin=None):
        return subprocess.run(
            [chatgate_binary(), "moderation", *arguments], input=stdin or "", capture_output=True,
            encoding="utf-8", errors="surrogateescape", timeout=60,
            env={**clean_environment(),
                 "CHATGATE_DATABASE_URL": cluster.postgres.url(cluster.database)},
        )

    return moderation


def good(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def rule(moderation, id, *options):
    listed = json.loads(good(moderation("rules", "list", "--json", *options)))
    (found,) = [rule for rule in listed["rules"] if rule["id"] == id]
    return found


def test_export_and_import_are_each_others_opposite(moderation):
    assert good(moderation("rules", "export")) == ""
    out = good(moderation("rules", "import", "-", "--note", "ticket 512", stdin=OURS))
    assert out == "+ test.essay\n+ test.lamp\nversion 1 is stored; nodes take it within a second\n"
    good(moderation("rules", "shadow", "test.lamp", "contact.phone"))
    exported = good(moderation("rules", "export"))
    assert exported.count("# Essays that are sold here.") == 1
    for more in ((), ("--replace",)):
        out = good(moderation("rules", "import", "-", *more, stdin=exported))
        assert out == "nothing changes: version 2 is that already\n"
    assert good(moderation("rules", "export")) == exported


def test_a_dry_run_shows_the_difference_and_stores_nothing(moderation):
    good(moderation("rules", "import", "-", stdin=OURS))
    changed = OURS.replace("лампа", "свеча").replace("test.essay", "test.paper")
    done = moderation("rules", "import", "-", "--replace", "--dry-run", "--json", stdin=changed)
    assert json.loads(good(done)) == {
        "version": 1, "stored": False, "added": ["test.paper"], "changed": ["test.lamp"],
        "removed": ["test.essay"],
    }
    assert "version" not in good(moderation("rules", "history"))
    assert len(good(moderation("rules", "history")).splitlines()) == 1


@pytest.mark.parametrize(
    "text, place, reason",
    [
        ("rule test.a\n  label spam\n  words дом  до[м\n", "3:14", "class"),
        ("rule test.a\n  label spam\n  pattern (a+)+\n", "3:11", ""),
        ("rule test.a\n  label spam\n  pattern a{1,900}\n", "3:11", ""),
        ("rule test.a\n  label spam\n  words дом\n  match дым\n", "4:9", "misses"),
        ("rule test.a\n  label insult\n  action block\n  words дом\n", "1:1", "only ever holds"),
        ("override test.nobody\n  state off\n", "1:1", "no such rule"),
        ("rule test.a\n  label spam\n  words дом\nrule test.a\n  label spam\n  words дом\n", "4:1", "twice"),
    ],
)
def test_a_fault_is_told_with_its_place(moderation, tmp_path, text, place, reason):
    file = tmp_path / "bad.rules"
    file.write_text(text)
    done = moderation("rules", "import", str(file))
    assert done.returncode == DATAERR
    assert done.stderr.startswith(f"{file}:{place}: "), done.stderr
    assert reason in done.stderr
    assert good(moderation("rules", "history")) == ""


def test_states_and_back(moderation):
    good(moderation("rules", "import", "-", stdin=OURS + "override contact.email\n severity 4\n"))
    for verb, state in (("shadow", "shadow"), ("disable", "off"), ("enable", "on")):
        good(moderation("rules", verb, "test.essay", "contact.email"))
        assert rule(moderation, "test.essay")["state"] == state
        assert rule(moderation, "contact.email")["state"] == state
        assert rule(moderation, "contact.email")["severity"] == 4
    assert rule(moderation, "contact.email")["origin"] == "changed"
    assert rule(moderation, "test.essay")["origin"] == "own"
    good(moderation("rules", "drop", "contact.email"))
    assert rule(moderation, "contact.email")["origin"] == "shipped"
    good(moderation("rules", "rollback", "1"))
    assert rule(moderation, "contact.email")["severity"] == 4
    history = [json.loads(line) for line in good(moderation("rules", "history", "--json")).splitlines()]
    assert [version["note"] for version in history] == [
        "rollback to 1", "drop contact.email", "on test.essay", "off test.essay",
        "shadow test.essay", "import -",
    ]
    assert all(version["db_user"] and version["at"] for version in history)


def test_enabling_lifts_a_fall_back_to_hold(cluster, moderation):
    good(moderation("rules", "import", "-", stdin=OURS.replace("label spam", "label spam\n  action block")))
    cluster.query("SELECT chatgate_hold_rule('test.lamp', 1, 'too many', 'n1')")
    assert rule(moderation, "test.lamp")["action"] == "hold"
    good(moderation("rules", "enable", "test.lamp"))
    assert rule(moderation, "test.lamp")["action"] == "block"


def test_what_is_not_there(moderation):
    assert moderation("rules", "show", "test.nobody").returncode == NOINPUT
    assert moderation("rules", "drop", "contact.phone").returncode == DATAERR
    assert moderation("rules", "rollback", "9").returncode == NOINPUT
    assert moderation("rules", "import", "/no/such/file").returncode == NOINPUT
    assert moderation("rules", "enable").returncode == USAGE
    assert moderation("rules", "frobnicate").returncode == USAGE
    assert moderation("backtest").returncode == USAGE


def test_show_tells_both_layers(moderation):
    good(moderation("rules", "shadow", "contact.phone"))
    shown = good(moderation("rules", "show", "contact.phone"))
    assert "rule contact.phone" in shown and "override contact.phone\n  state shadow" in shown


@pytest.fixture
def history(cluster, pair):
    """A thousand messages; each tenth has the word, and a person delivered the first of them."""
    cluster.query(
        """INSERT INTO messages (id, chat_room_id, sender_id, message_text, status, created_at)
           SELECT gen_random_uuid(), %s, CASE WHEN n %% 20 = 0 THEN %s::uuid ELSE %s::uuid END,
                  CASE WHEN n %% 10 = 0 THEN E'продам \\x1b[1A сочинение ' || n ELSE 'урок ' || n END,
                  'delivered', timestamp '2026-01-01' + n * interval '1 hour'
           FROM generate_series(0, 999) n""", pair.room, pair.teacher.id, pair.student.id)
    cluster.query(
        """INSERT INTO moderation_cases (message_id, room_id, sender_id, decided_by, decided_at)
           SELECT id, chat_room_id, sender_id, %s, now() FROM messages
           WHERE message_text LIKE '%%сочинение 0'""", pair.teacher.id)


def test_a_backtest_finds_hits_and_what_people_decided(cluster, moderation, history, tmp_path):
    file = tmp_path / "new.rules"
    file.write_text(OURS.replace("label spam", "label spam\n  state off"))
    done = moderation("backtest", "--rules", str(file), "--json", "--batch", "100", "--samples", "2")
    result = json.loads(good(done))
    essay, lamp = result["rules"]
    assert (result["messages"], essay["hits"], essay["senders"], lamp["hits"]) == (1000, 100, 2, 0)
    assert (essay["delivered"], essay["let_pass_by_people"], len(essay["samples"])) == (100, 1, 2)
    assert "of 1000 messages" in done.stderr
    ((note,),) = cluster.query("SELECT note FROM moderation_audit WHERE action = 'backtest'")
    assert "test.essay" in note
    assert cluster.query("SELECT count(*) FROM moderation_rule_sets") == [(0,)]


def test_a_backtest_of_a_rule_in_force_over_some_days(moderation, history):
    good(moderation("rules", "import", "-", stdin=OURS))
    good(moderation("rules", "disable", "test.essay"))
    done = moderation("backtest", "test.essay", "--since", "2026-01-02", "--until", "2026-01-03")
    out = good(done)
    assert out.startswith("24 messages\n") and "\x1b" not in out
    assert "[[сочинение]]" in out
    limited = json.loads(good(moderation("backtest", "test.essay", "--limit", "50", "--json")))
    assert limited["messages"] == 50
    assert moderation("backtest", "test.nobody").returncode in (NOINPUT, DATAERR)
    assert moderation("backtest", "test.essay", "--since", "yesterday").returncode == USAGE


async def test_statistics_tell_hits_and_who_overturned_them(cluster, connect, pair, moderator, moderation):
    good(moderation("rules", "import", "-", stdin=OURS + "override test.lamp\n  state shadow\n"))
    teacher, judge = await connect(pair.teacher), await connect(moderator)
    held = []
    while len(held) < 2:
        answer = await teacher.send(pair.room, "сочинение и лампа")
        if answer["status"] == "pending_moderation":
            held.append(answer["mid"])
    await judge.request("queue.decide", mid=held[0], verdict="deliver")
    essay, lamp = rule(moderation, "test.essay", "--stats"), rule(moderation, "test.lamp", "--stats")
    assert (essay["hits"], essay["senders"], essay["held"], essay["overturned"]) == (2, 1, 2, 1)
    assert (lamp["hits"], lamp["shadow"], lamp["held"]) == (2, 2, 0)
    assert "overturned" in good(moderation("rules", "list", "--stats"))


def test_check_reads_standard_input_and_keeps_letters(moderation):
    out = good(moderation("check", "--json", "-", stdin="звони 8 912 345 67 89\n"))
    assert json.loads(out)["labels"] == ["contact_phone"] and "\\u" not in out
    assert moderation("check", "-", stdin="\udcff").returncode == DATAERR
    assert moderation("check").returncode == USAGE
    shown = good(moderation("check", "пиши на ivan собака yandex точка ru"))
    assert "block  contact.email" in shown and "ivan@yandex.ru" in shown
