#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that each statement does what its head comment says.

    heads.py STATEMENTS_DIR DATABASE PREPARED

The gateway reads results in binary and by position, so the head comment's "params:" and
"columns:" are a contract. Each statement is prepared in DATABASE, and what Postgres makes of it is
compared with the comment. PREPARED is written: a psql file that prepares them all, for the tests.
"""
import pathlib
import re
import subprocess
import sys

TYPES = {"bigint": "int8", "integer": "int4", "boolean": "bool"}


def psql(database, text):
    done = subprocess.run(["psql", "-X", "-q", "-At", "-F", " ", "-v", "ON_ERROR_STOP=1",
                           "-d", database], input=text, text=True, capture_output=True)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return done.stdout.splitlines()


def short(type_name):
    base = type_name.removesuffix("[]")
    return TYPES.get(base, base) + type_name[len(base):]


def head(lines):
    """The comment's params ["$1 uuid[]"...] and columns ["id uuid"...], without remarks."""
    text = " ".join(line.lstrip("- ") for line in lines if line.startswith("--"))
    params, columns = re.search(r"params: (.*?) columns: (.*)$", text).groups()
    plain = [re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", part) for part in (params, columns)]
    params = re.findall(r"\$\d+ \w+ (\w+(?:\[\])?)", plain[0])
    if plain[1].strip() == "none":
        return params, []
    columns = [" ".join(part.split()[:2]) for part in plain[1].split(",") if part.strip()]
    return params, columns


def check(path, database):
    lines = path.read_text("utf-8").splitlines()
    params, columns = head(lines)
    text = "\n".join(line for line in lines if not line.startswith("--"))
    if text.startswith("CREATE"):
        psql(database, text)
        return text
    types = psql(database, f"PREPARE s AS {text};\nSELECT unnest(parameter_types) "
                           "FROM pg_prepared_statements;")
    if [short(t) for t in types] != params:
        raise ValueError(f"params are {[short(t) for t in types]}, the head says {params}")
    real = psql(database, text + "\n\\gdesc")
    # "The command has no result..." is a sentence, not a column.
    real = [" ".join([line.split()[0], short(line.split()[1])]) for line in real
            if len(line.split()) == 2]
    if real != columns:
        raise ValueError(f"columns are {real}, the head says {columns}")
    return f"PREPARE {path.stem} AS {text};"


def main(folder, database, prepared):
    failed = False
    texts = []
    for path in sorted(pathlib.Path(folder).glob("*.sql")):
        try:
            texts.append(check(path, database))
        except ValueError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed = True
    pathlib.Path(prepared).write_text("\n".join(t for t in texts if t.startswith("PREPARE")) + "\n",
                                      "utf-8")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
