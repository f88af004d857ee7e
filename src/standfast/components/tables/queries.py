"""The component's set-based queries, by name, from `sql/`."""

from pathlib import Path

import aiosql

QUERIES = aiosql.from_path(Path(__file__).parent / "sql", "psycopg", mandatory_parameters=False)
