# SPDX-License-Identifier: Apache-2.0
"""The Postgres of a scenario."""

from services import Postgres


def make_postgres(plan, template):
    return Postgres(template, plan.postgres_settings)
