"""The commands that the drill of every write spoils: the home before each, the call, and what must come out."""

import contextlib
import hashlib
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from support.corpora.files import document, write_jsonl, write_tokenizer
from support.homes.handmade import make_marts, make_runs
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.counting.sums.kept_sums import load_sums
from warehouse.engines.ducklake.address import Address, resolve
from warehouse.engines.ducklake.migrate import migrate, verify_raw
from warehouse.engines.ducklake.transactions import WAIT_S, shared_lake
from warehouse.experiments.training_export import export_selection
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake.connections import open_writer
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.operations.clean_up import remove_leftovers
from warehouse.serving.publish import publish
from warehouse.serving.report import write_report

_WORDS = ["water", "eau", "house", "maison", "light", "lumière", "the", "la"]
# kept sums, which are compared by what they say; the clocks of runs; locks; what anybody may delete; and DuckDB's file,
# whose bytes differ while its rows do not
_SHARED = "shared"  # a shared lake, of which rows are compared
_NOT_COMPARED = ("lake/sums/", "lake/runs/", "lake/_empty/", "tmp/", "writer.lock", "warehouse.duckdb", f"{_SHARED}/")


@dataclass(frozen=True)
class Step:
    """A command on a home.

    Attributes:
        before: brings an empty folder to where the command is called; the home is `home` in it.
        act: the command.
        after: called before what came out is looked at.
        content: gives more to compare than the files of the home.
    """

    name: str
    before: tuple[Callable[[Path], None], ...]
    act: Callable[[Path], None]
    after: Callable[[Path], None] | None = None
    content: Callable[[Path], dict[str, str]] | None = None


def home_of(folder: Path) -> Home:
    """Return the home in a drill's folder."""
    return Home(folder / "home")


def state(folder: Path) -> dict[str, str]:
    """Return what a command left that readers or later commands can see: a hash of every file, by its path."""
    home = home_of(folder)
    found = {}
    for path in sorted(home.root.rglob("*")):
        name = path.relative_to(home.root).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.name == "sums.json":
            found[path.parent.relative_to(home.root).as_posix()] = _sums_hash(path.parent)
        elif path.is_file() and not name.startswith(_NOT_COMPARED):
            found[name] = _hash(path)
    return found


def _sums_hash(folder: Path) -> str:
    """Hash what kept sums say. Their ranks keep the order in which tokens came, which a count from nothing does not."""
    sums = load_sums(folder)
    n_ranks, n_words = sums.token_ids.size, sums.word_ids.size
    order = np.argsort(sums.token_ids)
    widths = np.arange(n_ranks, dtype=np.int64)
    cells = np.zeros(int(widths.sum()), np.uint32)
    sums.read_token_rows(0, n_ranks, cells, np.cumsum(widths) - widths)
    pairs = np.zeros((n_ranks, n_ranks), np.uint32)
    pairs[np.tril_indices(n_ranks, -1)] = cells
    words = np.zeros(n_words * n_ranks, np.uint32)
    sums.read_word_rows(0, n_words, words, np.arange(n_words) * n_ranks)
    said = (
        *((folder / name).read_bytes() for name in ("sums.json", "pair_docs.npy", "word_ids.npy", "word_strata.npy")),
        *(part[order].tobytes() for part in (sums.token_ids, sums.stratum_docs)),
        (pairs + pairs.T)[np.ix_(order, order)].tobytes(),
        words.reshape(n_words, n_ranks)[:, order].tobytes(),
    )
    return hashlib.sha256(b"".join(said)).hexdigest()


def _hash(path: Path) -> str:
    if path.name == "warehouse.duckdb":
        return "see the manifest"
    content = path.read_bytes()
    if path.name in ("manifest.json", "run.json") and content:  # all of it but the clocks
        fields = json.loads(content)
        for clock in ("published_at", "run_id", "created_at", "timing"):
            fields.pop(clock, None)
        content = json.dumps(fields, sort_keys=True).encode()
    if path.name == "training_steps.parquet" and content:
        content = repr(pq.read_table(path).drop_columns(["step_s", "measured_flops_per_s"]).to_pylist()).encode()
    return hashlib.sha256(content).hexdigest()


def _records(seed: int, n: int, n_ids: int) -> list[dict]:
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(_WORDS, k=rng.randint(3, 9))) for _ in range(n)]
    return [document(str(rng.randrange(n_ids)), text, lang=rng.choice(["en", "fr"])) for text in texts]


def inputs(folder: Path) -> None:
    """Write two files of documents, of which the second replaces records of the first, a word list and a tokenizer."""
    write_tokenizer(folder).rename(folder / "tokenizer.json")
    write_jsonl(folder / "first.jsonl", _records(1, 60, 50))
    write_jsonl(folder / "second.jsonl.zst", _records(2, 60, 80))
    pairs = [("water", "eau"), ("house", "maison"), ("light", "lumière")]
    write_jsonl(folder / "words.jsonl", [{"en": {"en": a}, "fr": {"fr": b}} for a, b in pairs])


def words(folder: Path) -> None:
    """`pivots words import`."""
    import_words(home_of(folder), folder / "words.jsonl")


def ingest(folder: Path, *names: str) -> None:
    """`pivots ingest`."""
    ingest_corpus(
        home_of(folder),
        [folder / name for name in names],
        corpus="c",
        tokenizer=str(folder / "tokenizer.json"),
        options=IngestOptions(max_reject_share=1),
    )


def first(folder: Path) -> None:
    """The first file."""
    ingest(folder, "first.jsonl")


def second(folder: Path) -> None:
    """The second file, whose records replace some of the first."""
    ingest(folder, "second.jsonl.zst")


def count(folder: Path) -> None:
    """`pivots count`."""
    count_corpus(home_of(folder), "c", CountOptions())


def views(folder: Path) -> None:
    """The part of `pivots build` that is ours: the views over the lake."""
    with open_writer(home_of(folder)) as connection:
        refresh_raw_views(home_of(folder), connection)


def marts(folder: Path) -> None:
    """Marts made by hand, beside the documents."""
    home = home_of(folder)
    make_marts(home)
    make_runs(home)
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute("drop table marts.dim_documents; drop table marts.fct_selected_documents")
        connection.execute(
            "create table marts.dim_documents as"
            " select corpus, doc_id, lang, n_tokens, content_hash, false as is_held_out from raw.documents"
        )
        connection.execute(
            "create table marts.fct_selected_documents as select corpus, 'original' as strategy, doc_id,"
            " n_tokens::bigint as min_budget_tokens from raw.documents"
        )


def published(folder: Path) -> None:
    """`pivots publish`."""
    publish(home_of(folder))


def changed_marts(folder: Path) -> None:
    """A mart that differs from the published one."""
    with open_writer(home_of(folder)) as connection:
        connection.execute("delete from marts.dim_tokens where token_id % 2 = 0")


def export(folder: Path) -> None:
    """`pivots export`."""
    export_selection(home_of(folder), corpus="c", strategy="original", budget_tokens=None)


def report(folder: Path) -> None:
    """`pivots report`."""
    write_report(home_of(folder))


def clean_up(folder: Path) -> None:
    """`pivots clean-up --remove`: the report holds no lock, so that nobody else may take what a killed one left."""
    remove_leftovers(home_of(folder), older_than_days=0)


def migrate_home(folder: Path) -> None:
    """`pivots migrate`, into a lake below the home, whose changes are then seen."""
    migrate(home_of(folder), _lake(folder))


def lake_content(folder: Path) -> dict[str, str]:
    """Return rows and hashes of each table of the shared lake: its files have random names."""
    with shared_lake(_lake(folder), WAIT_S) as shared:
        return {f"lake table {table.table}": f"{table.n_rows} rows, {table.content}" for table in verify_raw(shared)}


def _lake(folder: Path) -> Address:
    root = home_of(folder).root / _SHARED
    root.mkdir(exist_ok=True)
    return resolve(f"ducklake:{root}/lake.ducklake", f"{root}/files/")


_EXPORT, _MODEL, _WORDS_SET, _EVALUATED = "export", "model", "eval-set", "evaluated"


def training_inputs(folder: Path) -> None:
    """A tiny export and the configuration of a tiny model."""
    from support.ml_runs.inputs import make_config, make_export

    make_export(folder / _EXPORT)
    make_config(folder / _MODEL, initializer_range=0.05)
    home_of(folder).root.mkdir()


def train(folder: Path) -> None:
    """`pivots train`'s program: six steps, a checkpoint every second."""
    import ml.train
    from support.ml_runs.training import arguments

    with contextlib.redirect_stdout(io.StringIO()):
        ml.train.main(
            arguments(
                folder, folder / _EXPORT, out="home", model=folder / _MODEL / "olmo.json", checkpoint_every_steps=2
            )
        )


def evaluation_inputs(folder: Path) -> None:
    """Words to translate and the configuration of a tiny model."""
    from support.ml_runs.inputs import make_config, make_eval_set

    make_eval_set(folder / _WORDS_SET, n_scored=2)
    make_config(folder / _MODEL)
    home_of(folder).root.mkdir()


def score(folder: Path) -> None:
    """`pivots score`'s program."""
    import ml.score

    _evaluate(folder, ml.score.main)


def trace(folder: Path) -> None:
    """`pivots trace`'s program."""
    import ml.trace

    _evaluate(folder, ml.trace.main)


def intervene(folder: Path) -> None:
    """`pivots intervene`'s program."""
    import ml.intervene

    _evaluate(folder, lambda options: ml.intervene.main([*options, "--layer", "2"]))


def _evaluate(folder: Path, program: Callable[[list[str]], None]) -> None:
    given = {
        "--eval-set": folder / _WORDS_SET,
        "--model": folder / _MODEL / "olmo.json",
        "--run-id": "r1",
        "--out": home_of(folder).root / _EVALUATED,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        program([str(part) for pair in given.items() for part in pair])


_COUNTED = (inputs, words, first, count)
STEPS = {
    step.name: step
    for step in (
        Step("words", (inputs, first), words),
        Step("ingest", (inputs, words), first),
        Step("ingest more", (inputs, words, first), second),
        Step("count", (inputs, words, first), count),
        Step("count more", (*_COUNTED, second), count),
        Step("build (views)", _COUNTED, views),
        Step("publish", (inputs, first, marts), published),
        Step("publish again", (inputs, first, marts, published, changed_marts), published),
        Step("export", (inputs, first, marts), export),
        Step("report", (inputs, first, marts, published), report, after=clean_up),
        Step("train", (training_inputs,), train),
        Step("score", (evaluation_inputs,), score),
        Step("trace", (evaluation_inputs,), trace),
        Step("intervene", (evaluation_inputs,), intervene),
        Step("migrate", (inputs, words, first, count, marts), migrate_home, content=lake_content),
    )
}
