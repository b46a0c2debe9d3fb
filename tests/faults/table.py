# SPDX-License-Identifier: Apache-2.0
"""The report: a line a scenario, and JUnit's XML for who counts tests."""

import xml.etree.ElementTree as xml

COLUMNS = ("messages", "acked", "lost", "duplicated", "out of order", "leaked", "other", "heal")
COUNTED = ("lost", "duplicated", "out of order", "leaked")
WIDTH = 26


def head():
    return f"{'scenario':{WIDTH}}" + "".join(f"{name:>13}" for name in COLUMNS)


def line(report):
    counts = report["counts"]
    other = sum(number for kind, number in counts.items() if kind not in COUNTED)
    heal = "never" if report["heal_s"] is None else f"{report['heal_s']:.1f} s"
    cells = [report["messages"], report["acked"], *(counts.get(kind, 0) for kind in COUNTED), other, heal]
    return f"{report['scenario']:{WIDTH}}" + "".join(f"{cell!s:>13}" for cell in cells)


def total(reports):
    """The line below the table."""
    whole = {"scenario": "all", "counts": {}, "heal_s": 0.0, "messages": 0, "acked": 0}
    for report in reports:
        whole["messages"] += report["messages"]
        whole["acked"] += report["acked"]
        whole["heal_s"] = max(whole["heal_s"], report["heal_s"] or 0)
        for kind, number in report["counts"].items():
            whole["counts"][kind] = whole["counts"].get(kind, 0) + number
    return line(whole)


def write_junit(path, reports, skipped):
    failed = sum(1 for report in reports if report["violations"])
    suite = xml.Element(
        "testsuite", name="faults", tests=str(len(reports) + len(skipped)), failures=str(failed),
        errors="0", skipped=str(len(skipped)),
    )
    for report in reports:
        case = xml.SubElement(suite, "testcase", name=report["scenario"], time=str(report["took_s"]))
        if report["violations"]:
            xml.SubElement(case, "failure").text = "\n".join(report["violations"])
    for name, why in skipped.items():
        xml.SubElement(xml.SubElement(suite, "testcase", name=name), "skipped").text = why
    xml.ElementTree(suite).write(path)
