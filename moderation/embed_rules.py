#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build tool: writes the shipped rules files into a C array (embed_rules.py OUT FILE...)."""

import pathlib
import sys


def literal(data: bytes) -> str:
    """C string literals, one a line of the file; every byte that is not plain ASCII is escaped."""
    lines = []
    for line in data.splitlines(keepends=True):
        text = "".join(
            chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in line
        )
        lines.append(f'        "{text}"')
    return "\n".join(lines)


def main() -> None:
    out, files = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    parts = [
        "/* Written by embed_rules.py from moderation/rules */",
        '#include "moderation/rule_set.h"',
        "",
        "static const struct rule_source sources[] = {",
    ]
    for file in files:
        data = file.read_bytes()
        data.decode()
        parts += [
            "    {",
            f'        "{file.name}",',
            literal(data) + ",",
            f"        {len(data)},",
            "    },",
        ]
    parts += [
        "};",
        "",
        "const struct rule_source *rule_set_default_sources(size_t *count)",
        "{",
        "    *count = sizeof(sources) / sizeof(sources[0]);",
        "    return sources;",
        "}",
        "",
    ]
    pathlib.Path(out).write_text("\n".join(parts))


main()
