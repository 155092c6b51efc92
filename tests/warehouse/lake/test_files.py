from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.base.settings import Home
from warehouse.lake.connections import open_writer
from warehouse.lake.files import current_count, point_to_count, read_table, shard_path, write_table
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.schemas import SCHEMAS
from warehouse.serving.excerpts import open_lake


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def _superseded(*doc_ids: int) -> pa.Table:
    rows = [{"corpus": "c", "shard_id": "s", "doc_id": d, "reason": "duplicate id"} for d in doc_ids]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["superseded_documents"])


def _documents(*doc_ids: int) -> pa.Table:
    rows = [{"corpus": "c", "shard_id": "s", "doc_id": d, "token_ids": [1, 2]} for d in doc_ids]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["documents"])


def test_failed_write_leaves_the_old_file_and_no_leftover(home: Home) -> None:
    path = shard_path(home, "words", "list")
    write_table(path, "words", SCHEMAS["words"].empty_table())
    before = path.read_bytes()
    with pytest.raises(KeyError):
        write_table(path, "words", pa.table({"nonsense": [1]}))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["list.parquet"]


def test_every_raw_table_is_a_view_even_in_an_empty_home(home: Home) -> None:
    home.root.mkdir()
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        for table, schema in SCHEMAS.items():
            rows = connection.execute(f"select * from raw.{table}").to_arrow_table()
            assert rows.num_rows == 0
            assert rows.schema.names == schema.names


def test_superseded_documents_are_not_in_the_documents_view(home: Home) -> None:
    write_table(shard_path(home, "documents", "s", corpus="c"), "documents", _documents(1, 2, 3))
    write_table(shard_path(home, "superseded_documents", "state", corpus="c"), "superseded_documents", _superseded(2))
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        rows = connection.execute("select doc_id from raw.documents order by 1").fetchall()
    assert rows == [(1,), (3,)]


def test_counted_tables_follow_the_pointer(home: Home) -> None:
    for count_id, n_docs in (("old", 1), ("new", 2)):
        folder = home.lake / "counts" / "c" / count_id
        rows = [{"corpus": "c", "lang": "en", "length_bin": 3, "n_docs": n_docs}]
        write_table(folder / "strata.parquet", "strata", pa.Table.from_pylist(rows, schema=SCHEMAS["strata"]))
    assert current_count(home, "c") is None
    assert read_table(home, "strata").num_rows == 0
    point_to_count(home, "c", "old")
    point_to_count(home, "c", "new")
    assert read_table(home, "strata")["n_docs"].to_pylist() == [2]


def test_files_of_an_earlier_version_lack_a_column_and_read_as_null(home: Home) -> None:
    schema = SCHEMAS["training_steps"]
    earlier = schema.remove(schema.get_field_index("model_flops"))
    rows = pa.Table.from_pylist([{"run_id": "old", "step": 1}], schema=earlier)
    path = shard_path(home, "training_steps", "old")
    path.parent.mkdir(parents=True)
    pq.write_table(rows, path)
    assert read_table(home, "training_steps")["model_flops"].to_pylist() == [None]
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        query = "select step, model_flops from raw.training_steps"
        assert connection.execute(query).fetchall() == [(1, None)]


def test_a_shard_older_than_a_column_reads_as_null_there(home: Home) -> None:
    """Also where the dashboard looks a document up: tables that are read at once and views alike."""
    write_table(shard_path(home, "documents", "new", corpus="c"), "documents", _documents(1))
    old = shard_path(home, "documents", "old", corpus="c")
    pq.write_table(_documents(2).drop_columns(["instance_lang"]), old)
    query = "select doc_id, instance_lang from raw.documents order by doc_id"
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        assert connection.execute(query).fetchall() == [(1, None), (2, None)]
    for read_at_once_bytes in (0, 1 << 20):
        with open_lake(home, read_at_once_bytes=read_at_once_bytes) as raw:
            assert raw.con.execute(query).fetchall() == [(1, None), (2, None)]
