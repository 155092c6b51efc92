"""The one text of every raw view: what the tables of schema `raw` are, on any engine."""

import duckdb
import pyarrow.parquet as pq

from warehouse.base.settings import Home
from warehouse.lake.files import current_files, write_table
from warehouse.lake.schemas import SCHEMAS


def refresh_raw_views(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Point the views of schema `raw` at the current files; a table without files is a view without rows.

    `raw.documents` and `raw.word_documents` leave out superseded documents, which stay visible in
    `raw.superseded_documents`.
    """
    # superseded_documents comes first: the document views read it
    for table in sorted(SCHEMAS, key=lambda name: name != "superseded_documents"):
        # an empty file with today's columns comes first: files that an earlier version wrote may lack some (NULL)
        empty = home.lake / "_empty" / f"{table}.parquet"
        if not empty.exists() or not pq.read_schema(empty).equals(SCHEMAS[table]):
            write_table(empty, table, SCHEMAS[table].empty_table())
        listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in [empty, *current_files(home, table)])
        relation = f"select * from read_parquet([{listed}], union_by_name = true)"
        if table in ("documents", "word_documents"):
            relation = f"from ({relation}) anti join raw.superseded_documents using (shard_id, doc_id)"
        connection.execute(f"create or replace view raw.{table} as {relation}")
