"""The truth of a planted corpus in the lake."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from tokenizers import Tokenizer

from support.places import PROJECT
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.lake.files import read_table, shard_path, write_table
from warehouse.lake.identity import item_id
from warehouse.lake.schemas import SHARDED
from warehouse.planted.plant import plant_corpus
from warehouse.planted.truth import import_truth
from warehouse.planted.world import concepts

TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    plant_corpus(folder, scale=0.001, seed=0)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A lake that knows the corpus `p` and its tokenizer, as ingest leaves them."""
    home = Home(tmp_path / "home")
    tokenizer_hash = file_hash(TOKENIZER)
    (home.lake / "tokenizers").mkdir(parents=True)
    shutil.copyfile(TOKENIZER, home.lake / "tokenizers" / f"{tokenizer_hash}.json")
    row = {
        "corpus": "p",
        "tokenizer_hash": tokenizer_hash,
        "tokenizer_name": "base",
        "vocab_size": 3840,
        "eos_token_id": 0,
    }
    write_table(
        shard_path(home, "corpora", "corpus", corpus="p"),
        "corpora",
        pa.Table.from_pylist([row], schema=SHARDED["corpora"]),
    )
    return home


def test_rows_carry_the_identities_of_the_word_list_and_single_tokens(home: Home, planted: Path) -> None:
    assert import_truth(home, planted / "truth", corpus="p") == (212, 400)
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    library = item_id({"en": "library", "fr": "bibliothèque", "zh": "图书馆", "ja": "図書館"})
    rows = {r["item_id"]: r for r in read_table(home, "planted_concepts").to_pylist()}
    assert len(rows) == len(concepts())
    assert rows[library] == {
        "corpus": "p",
        "item_id": library,
        "kind": "pivot",
        "role": "test",
        "topic": "learning",
    }
    pivots = [r for r in read_table(home, "planted_pivots").to_pylist() if r["item_id"] == library]
    assert {(r["pivot_word"], r["token_id"]) for r in pivots} == {
        (word, tokenizer.token_to_id("Ġ" + word)) for word in ("ISBN", "shelf")
    }


def test_importing_twice_changes_nothing(home: Home, planted: Path) -> None:
    import_truth(home, planted / "truth", corpus="p")
    before = {p: p.stat().st_mtime_ns for p in home.lake.rglob("planted_*/**/*.parquet")}
    import_truth(home, planted / "truth", corpus="p")
    assert before == {p: p.stat().st_mtime_ns for p in home.lake.rglob("planted_*/**/*.parquet")}
    assert len(before) == 2


def test_a_pivot_of_several_tokens_has_no_token(home: Home, planted: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    shutil.copytree(planted / "truth", truth)
    import pyarrow.parquet as pq

    from warehouse.planted.plant import PIVOTS_SCHEMA

    rows = [{"concept_id": 0, "pivot_word": "hydroelectricities"}, {"concept_id": 0, "pivot_word": "aqua"}]
    pq.write_table(pa.Table.from_pylist(rows, schema=PIVOTS_SCHEMA), truth / "pivots.parquet")
    import_truth(home, planted / "truth", corpus="p")
    assert import_truth(home, truth, corpus="p") == (212, 2)  # replaces the earlier truth
    pivots = read_table(home, "planted_pivots").to_pylist()
    assert [r["token_id"] is None for r in pivots] == [True, False]


def test_wrong_requests_are_one_clear_line(home: Home, planted: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing: give the `truth` folder"):
        import_truth(home, planted, corpus="p")
    with pytest.raises(UsageError, match=r"no corpus 'q' in .*: there are p; `pivots ingest .*` makes it"):
        import_truth(home, planted / "truth", corpus="q")
    (tmp_path / "concepts.parquet").write_text("no parquet")
    with pytest.raises(UsageError, match="not a Parquet file"):
        import_truth(home, tmp_path, corpus="p")
