# SPDX-License-Identifier: Apache-2.0
"""All scenarios, in the order of the report. Each registers itself when its file is read."""

import scenarios_nodes  # noqa: F401
import scenarios_postgres  # noqa: F401
import scenarios_redis  # noqa: F401
import scenarios_clients  # noqa: F401
import scenarios_mixed  # noqa: F401
from scenario import ALL

__all__ = ["ALL"]
