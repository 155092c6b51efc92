"""What dbt-duckdb calls for target `ducklake` of profiles.yml: it attaches the shared lake as `lake`, read-only."""

import os

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from warehouse.engines.ducklake.engine import attach_for_dbt


class Plugin(BasePlugin):
    """Attach the lake of PIVOTS_CATALOG as of snapshot PIVOTS_CATALOG_SNAPSHOT."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Attach once, before the first model; cursors of other threads share it."""
        attach_for_dbt(conn, dict(os.environ))
