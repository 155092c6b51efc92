"""Arms without a database hold the documents, identities and words that the warehouse would give them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from support.places import PROJECT
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.evaluation_set import _CANDIDATES, _ITEMS, _SCORED_ITEMS
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.files import read_table
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.planted.arms import ARMS, _plant, choose, main, true_pivots
from warehouse.planted.documents import BLOCK_DOCS
from warehouse.planted.plant import DOCS_PER_SCALE, plant_corpus
from warehouse.planted.truth import import_truth
from warehouse.planted.world import TEST, concepts

TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
CORPUS = "planted-5"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One block of documents, ingested as a user would."""
    folder = tmp_path_factory.mktemp("planted")
    home = Home(folder / "home")
    plant_corpus(folder / "planted", scale=BLOCK_DOCS / DOCS_PER_SCALE, seed=5)
    import_words(home, folder / "planted" / "words.jsonl")
    ingest_corpus(home, [folder / "planted" / "documents"], corpus=CORPUS, tokenizer=TOKENIZER)
    import_truth(home, folder / "planted" / "truth", corpus=CORPUS)
    return home


def test_documents_are_those_of_an_ingested_corpus(home: Home, tmp_path: Path) -> None:
    planted = _plant(tmp_path, TOKENIZER, 5, 1)
    rows = {row["doc_id"]: row for row in read_table(home, "documents").to_pylist()}
    assert len(rows) == len(planted.documents) == BLOCK_DOCS
    pivots = {row["token_id"] for row in read_table(home, "planted_pivots").to_pylist()} - {None}
    assert true_pivots(Tokenizer.from_file(str(TOKENIZER))) == pivots
    for place, doc_id in enumerate(planted.documents.doc_ids.tolist()):
        row = rows[doc_id]
        own = planted.tokens[planted.starts[place] : planted.starts[place + 1]].tolist()
        assert own == row["token_ids"]
        assert planted.documents.langs[place] == row["lang"]
        assert planted.documents.content_hashes[place] == row["content_hash"]
        assert planted.n_bytes[place] == row["n_bytes"]
        assert planted.n_pivots[place] == sum(token in pivots for token in own)


def test_the_evaluation_set_is_that_of_the_warehouse(home: Home, tmp_path: Path) -> None:
    main(["evaluation", "--out", str(tmp_path / "eval"), "--tokenizer", str(TOKENIZER)])
    with writer_lock(home), open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute(_SCORED_ITEMS.format(limit="all"), [CORPUS])
        items = connection.execute(_ITEMS).to_arrow_table().to_pylist()
        # the list has distractors for every direction, so that nothing is drawn: the mart holds the list's
        connection.execute("create schema marts")
        connection.execute(f"create view marts.fct_distractors as select '{CORPUS}' as corpus, * from raw.distractors")
        candidates = connection.execute(_CANDIDATES, {"corpus": CORPUS}).to_arrow_table().to_pylist()
    written = pq.read_table(tmp_path / "eval" / "candidates.parquet").to_pylist()

    def by_key(rows: list[dict[str, object]]) -> set[tuple[object, ...]]:
        return {tuple(row[name] for name in sorted(row)) for row in rows}

    assert by_key(pq.read_table(tmp_path / "eval" / "items.parquet").to_pylist()) == by_key(items)
    assert by_key(written) == by_key(candidates)
    assert len({row["item_id"] for row in written}) == 92


class TestArms:
    def test_exports_hold_the_chosen_documents_each_closed_by_the_separator(self, tmp_path: Path) -> None:
        request = ["--seed", "5", "--corpus-tokens", "100000", "--budget-tokens", "20000"]
        main(["arms", "--out", str(tmp_path), "--tokenizer", str(TOKENIZER), *request])
        corpus = _plant(tmp_path, TOKENIZER, 5, 1)
        for arm in ARMS:
            manifest = json.loads((tmp_path / arm / "manifest.json").read_text())
            tokens = np.fromfile(tmp_path / arm / "part-00000.npy", "<u2")
            spans = pq.read_table(tmp_path / arm / "part-00000.documents.parquet").to_pylist()
            assert len(tokens) == manifest["n_tokens"] == spans[-1]["end"]
            n_documents = manifest["n_tokens"] - manifest["n_docs"]
            assert 20_000 - 4 * 200 < n_documents <= 20_000, arm
            assert (tokens == manifest["eos_token_id"]).sum() == len(spans) == manifest["n_docs"]
            place_of = {doc_id: place for place, doc_id in enumerate(corpus.documents.doc_ids.tolist())}
            for span in spans[::20]:
                place = place_of[span["doc_id"]]
                own = corpus.tokens[corpus.starts[place] : corpus.starts[place + 1]].tolist()
                assert tokens[span["start"] : span["end"]].tolist() == [*own, manifest["eos_token_id"]]
            chosen = choose(corpus, arm, 20_000)
            assert {span["doc_id"] for span in spans} == set(corpus.documents.doc_ids[chosen].tolist())

    def test_arms_differ_in_what_they_are_named_after(self, tmp_path: Path) -> None:
        corpus = _plant(tmp_path, TOKENIZER, 7, 1)
        taken = {arm: choose(corpus, arm, 20_000) for arm in ARMS}

        def pivots(arm: str) -> float:
            return float(corpus.n_pivots[taken[arm]].sum() / corpus.documents.n_tokens[taken[arm]].sum())

        def english(arm: str) -> float:
            own = corpus.documents.of(taken[arm])
            return float(own.n_tokens[own.langs == "en"].sum() / own.n_tokens.sum())

        assert pivots("planted_truth") > 3 * pivots("random_multilingual")
        assert english("original") > 0.55 > 0.25 > english("random_multilingual")
        assert corpus.is_mixed[taken["random_multilingual"]].any()
        assert not corpus.is_mixed[taken["no_mixed"]].any()


def test_a_base_of_a_setting_reads_its_documents_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    asked = ["base", "--tokenizer", str(TOKENIZER), "--seed", "3", "--blocks", "1"]
    for name in ("default", "even_base"):
        main([*asked, "--out", str(tmp_path / name), "--setting", name])
    main([*asked, "--out", str(tmp_path / "plain")])
    manifests = {
        folder: json.loads((tmp_path / folder / "manifest.json").read_text())
        for folder in ("default", "even_base", "plain")
    }
    assert manifests["default"] == manifests["plain"]
    assert manifests["default"]["export_id"] != manifests["even_base"]["export_id"]
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    of_test = {tokenizer.encode(f" {p}").ids[0] for c in concepts() if c.role == TEST for p in c.pivots}
    for name, is_there in (("default", True), ("even_base", False)):
        tokens = np.fromfile(tmp_path / name / "part-00000.npy", np.uint16)
        assert bool(of_test.intersection(tokens.tolist())) is is_there
    with pytest.raises(UsageError, match="unknown setting"):
        main(["base", "--out", str(tmp_path / "x"), "--tokenizer", str(TOKENIZER), "--setting", "odd"])
