"""The same documents and words in any order, splitting and repetition give the same rows; a killed run is resumed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from support.corpora.files import DOCUMENTS, WORD_DOCUMENTS, document, lake_bytes, rows, write_jsonl, write_tokenizer
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.ingest.word_list import import_words

WORDS = [
    "water",
    "river",
    "house",
    "cold",
    "eau",
    "rivière",
    "maison",
    "水",
    "河",
    "冷",
    "川",
    "家",
    "冷たい",
    "the",
    "la",
]
ITEMS = [
    {"en": {"en": "water"}, "fr": {"fr": "eau"}, "zh": {"zh": "水"}, "ja": {"ja": "水"}},
    {"en": {"en": "river"}, "fr": {"fr": "rivière"}, "zh": {"zh": "河"}, "ja": {"ja": "川"}},
    {"en": {"en": "house"}, "fr": {"fr": "maison"}, "zh": {"zh": "房子"}, "ja": {"ja": "家"}},
]
OPTIONS = IngestOptions(max_reject_share=1)


def make_records(rng: random.Random, n: int) -> list[dict]:
    """Return records with duplicate ids: some with the same text, some with another, some in another language."""
    records = []
    for _ in range(n):
        text = " ".join(rng.choices(WORDS, k=rng.randint(1, 6)))
        lang = rng.choice(["en", "fr", "fra", None])
        records.append(document(str(rng.randint(0, n // 2)), text, lang=lang, source=rng.choice("ab")))
    return records


def table_rows(home: Home) -> list[list[tuple]]:
    return [rows(home, DOCUMENTS), rows(home, WORD_DOCUMENTS)]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_order_and_splitting_do_not_matter(seed: int, tmp_path: Path) -> None:
    rng, folder = random.Random(seed), tmp_path
    tokenizer = str(write_tokenizer(folder))
    records = make_records(rng, 30)
    results = []
    for variant in range(3):
        home = Home(folder / f"home{variant}")
        rng.shuffle(records)
        files: list[list[dict]] = [[] for _ in range(rng.randint(1, 4))]
        for record in records:
            rng.choice(files).append(record)
        paths = [write_jsonl(folder / f"in{variant}" / f"{i}.jsonl", file) for i, file in enumerate(files)]
        lists = [write_jsonl(folder / f"w{variant}{i}.jsonl", ITEMS[i : i + 2]) for i in range(2)]
        steps = [("words", path) for path in lists] + [("documents", path) for path in paths]
        rng.shuffle(steps)
        for step, path in steps:
            if step == "words":
                import_words(home, path)
            else:
                ingest_corpus(home, [path], corpus="c", tokenizer=tokenizer, options=OPTIONS)
        results.append(table_rows(home))
        n_good = len(results[-1][0])
        n_bad = rows(home, "select count(*) from raw.rejects where step = 'ingest' and reason <> 'empty file'")[0][0]
        assert n_good + n_bad == len(records)
    assert results[0] == results[1] == results[2]


@pytest.mark.slow
def test_processes_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or several, which read whole files or pieces of one: the same bytes."""
    tokenizer = str(write_tokenizer(tmp_path))
    rng = random.Random(0)
    large = [document(f"l{i}", " ".join(rng.choices(WORDS, k=20_000)), lang=None) for i in range(50)]
    for i, records in enumerate(([*large, *make_records(rng, 50)], make_records(rng, 300), make_records(rng, 20))):
        write_jsonl(tmp_path / "in" / f"{i}.jsonl", records)
    words = write_jsonl(tmp_path / "words.jsonl", ITEMS)
    monkeypatch.setattr("warehouse.ingest.word_matches._PARALLEL_BYTES", 0)
    lakes = []
    # one process for pieces; two for whole files, for both
    for threads, whole_share in (("1", 0), ("2", 9), ("2", 0.5)):
        monkeypatch.setenv("PIVOTS_THREADS", threads)
        monkeypatch.setattr("warehouse.ingest.workers._PARALLEL_BYTES", 0)
        monkeypatch.setattr("warehouse.ingest.workers._WHOLE_SHARE", whole_share)
        home = Home(tmp_path / f"home{len(lakes)}")
        ingest_corpus(home, [tmp_path / "in"], corpus="c", tokenizer=tokenizer, options=OPTIONS)
        import_words(home, words)
        lakes.append(lake_bytes(home))
    largest = max((home.lake / "documents" / "c").iterdir(), key=lambda file: file.stat().st_size)
    assert pq.read_metadata(largest).num_row_groups > 1  # it was cut
    assert lakes[1:] == lakes[:1] * 2


N_FILES = 6
STEPS = """
import sys
from pathlib import Path
from warehouse.base.settings import Home
from warehouse.ingest import corpus, word_matches, workers
from warehouse.ingest.word_list import import_words
workers._PARALLEL_BYTES = word_matches._PARALLEL_BYTES = 1 << 60 if sys.argv[5] == "alone" else 0
home, folder = Home(Path(sys.argv[1])), Path(sys.argv[2])
options = corpus.IngestOptions(max_reject_share=1)
import_words(home, folder / "words0.jsonl")
print("begin", flush=True)
corpus.ingest_corpus(home, [folder / "in"], corpus="c", tokenizer=sys.argv[3], options=options)
import_words(home, folder / "words1.jsonl")
print("end", flush=True)
"""


def _start(home: Path, folder: Path, tokenizer: Path, how: str) -> subprocess.Popen[str]:
    arguments = [str(home), str(folder), str(tokenizer), "", how]
    environment = os.environ | {"PIVOTS_THREADS": "2"}
    return subprocess.Popen(
        [sys.executable, "-c", STEPS, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def _phase(home: Home, n_files: int) -> str:
    """Where a killed ingest had got to, by what it left."""
    n_done = _n_done(home)
    if n_done == n_files:
        return "after the last file"
    if list(home.lake.rglob(".unfinished-*")):
        return "inside a write"
    return "between files" if n_done else "before the first file"


def _wait_for_files(process: subprocess.Popen[str], home: Home, n_files: int) -> None:
    """Wait until this many files are in, however fast the machine is, or the process has ended."""
    while process.poll() is None and _n_done(home) < n_files:
        time.sleep(0.002)


def _n_done(home: Home) -> int:
    return len(list((home.lake / "source_files" / "c").glob("[!.]*.parquet")))


def _drill(folder: Path, n_kills: int, how: str) -> None:
    tokenizer = write_tokenizer(folder)
    for i in range(N_FILES):
        write_jsonl(folder / "in" / f"{i}.jsonl.zst", make_records(random.Random(i), 1500))
    for i in range(2):
        write_jsonl(folder / f"words{i}.jsonl", ITEMS[i : i + 2])

    def finish(home: Path) -> None:
        assert _start(home, folder, tokenizer, how).wait() == 0

    finish(folder / "clean")
    clean = lake_bytes(Home(folder / "clean"))
    rng = random.Random(0)
    phases: Counter[str] = Counter()
    for drill in range(n_kills):
        home = Home(folder / f"killed{drill}")
        for _ in range(2):
            process = _start(home.root, folder, tokenizer, how)
            assert process.stdout is not None
            process.stdout.readline()
            _wait_for_files(process, home, rng.randrange(N_FILES))
            time.sleep(rng.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            process.wait()
            phases[_phase(home, n_files=N_FILES)] += 1
            # whatever is there is whole: every document shard is complete, and every word row has its document
            orphans = "select count(*) from raw.word_documents anti join raw.documents using (shard_id, doc_id)"
            assert rows(home, orphans) == [(0,)]
            counted = "select count(*) from raw.documents full join (select shard_id, n_docs from raw.source_files) f"
            counted += " using (shard_id) group by shard_id, n_docs having count(doc_id) > n_docs"
            assert rows(home, counted) == []
        finish(home.root)
        assert lake_bytes(home) == clean
    # a drill whose kills all came too early or too late shows nothing
    assert phases["inside a write"] + phases["between files"] >= n_kills // 2, phases


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_equals_a_clean_run(tmp_path: Path) -> None:
    _drill(tmp_path, n_kills=2, how="alone")


@pytest.mark.slow
def test_killed_often_with_workers(tmp_path: Path) -> None:
    _drill(tmp_path, n_kills=12, how="workers")
