# SPDX-License-Identifier: Apache-2.0
"""Reads Prometheus' text format, enough of it to look at a gateway's own metrics."""

import re
import urllib.request

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """{(name, ((label, value), ...)): number}"""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, labels, value = _SAMPLE.match(line).groups()
        samples[name, tuple(sorted(_LABEL.findall(labels or "")))] = float(value)
    return samples


def scrape_text(admin_url):
    with urllib.request.urlopen(f"{admin_url}/metrics", timeout=10) as answer:
        return answer.read().decode()


def scrape(admin_url):
    return parse(scrape_text(admin_url))


def value(samples, name, **labels):
    """The sum over all samples of that name that have these labels."""
    wanted = set(labels.items())
    return sum(
        number for (metric, has), number in samples.items() if metric == name and wanted <= set(has)
    )
