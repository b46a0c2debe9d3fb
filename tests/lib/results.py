# SPDX-License-Identifier: Apache-2.0
"""Counts the results of a test runner: prints "PASSED FAILED SKIPPED".

results.py FORMAT FILE..., where FORMAT is one of
  meson   testlog.json, a line an executable; inside, the tests that cmocka counts
  junit   pytest's XML
  node    the TAP of node --test
  prove   the output of pg_prove
"""

import json
import re
import sys
import xml.etree.ElementTree

CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) +\] (\d+) test", re.MULTILINE)


def meson(text):
    total = [0, 0, 0]
    for line in text.splitlines():
        result = json.loads(line)
        output = result.get("stdout", "") + result.get("stderr", "")
        counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
        for kind, number in CMOCKA.findall(output):
            counts[kind] += int(number)
        bad = result["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
        if bad and counts["FAILED"] == 0:
            counts["FAILED"] = 1  # it crashed, ran out of time, or is no cmocka test
        if result["result"] == "SKIP":
            counts["SKIPPED"] = max(1, counts["SKIPPED"])
        elif not any(counts.values()):
            counts["PASSED"] = 1
        for index, kind in enumerate(counts):
            total[index] += counts[kind]
    return total


def junit(text):
    total = [0, 0, 0]
    for suite in xml.etree.ElementTree.fromstring(text).iter("testsuite"):
        number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        failed = number["failures"] + number["errors"]
        total[0] += max(0, number["tests"] - failed - number["skipped"])
        total[1] += failed
        total[2] += number["skipped"]
    return total


def node(text):
    summary = dict(re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", text, re.MULTILINE))
    number = {key: int(value) for key, value in summary.items()}
    return [
        number.get("pass", 0),
        number.get("fail", 0) + number.get("cancelled", 0),
        number.get("skipped", 0) + number.get("todo", 0),
    ]


def prove(text):
    ran = sum(int(number) for number in re.findall(r"^Files=\d+, Tests=(\d+),", text, re.MULTILINE))
    failed = sum(int(number) for number in re.findall(r"Failed (\d+)/\d+ subtests", text))
    broken = len(re.findall(r"^Result: FAIL$", text, re.MULTILINE))
    failed = max(failed, broken)
    return [max(0, ran - failed), failed, 0]


def main():
    read = {"meson": meson, "junit": junit, "node": node, "prove": prove}[sys.argv[1]]
    total = [0, 0, 0]
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8", errors="replace") as file:
            total = [have + more for have, more in zip(total, read(file.read()))]
    print(*total)


if __name__ == "__main__":
    main()
