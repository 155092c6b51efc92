"""Commands that read a model, end to end: from the command line to rows in the lake."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.lake.files import read_table, shard_path, write_table
from warehouse.lake.schemas import SCHEMAS

BASE_MODEL = PROJECT / "ml" / "base_model"
SENTENCES = "\n".join(["en\tfr", *(f"The {word} is here.\tLe {word} est là." for word in "abcdefgh")])


def pivots(home: Home, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from warehouse.cli import main; main()"]
    command = [*program, *map(str, arguments), "--home", str(home.root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a corpus that has a tokenizer and nothing else."""
    made = Home(tmp_path / "home")
    tokenizer = BASE_MODEL / "tokenizer.json"
    digest = file_hash(tokenizer)
    kept = made.lake / "tokenizers" / f"{digest}.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(tokenizer.read_bytes())
    row = {"corpus": "c", "tokenizer_hash": digest, "tokenizer_name": "t", "vocab_size": 3840, "eos_token_id": 0}
    write_table(
        shard_path(made, "corpora", "c", corpus="c"),
        "corpora",
        pa.Table.from_pylist([row], schema=SCHEMAS["corpora"]),
    )
    return made


@pytest.mark.slow
def test_a_lens_is_shown_kept_and_answered_from_the_lake(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "lens.parquet"
    request = ("lens", "--model", BASE_MODEL, "--prompt", r"English: water\nFrench:", "--top", 2, "--out", out)
    first = pivots(home, *request)
    assert first.returncode == 0, first.stderr
    assert "French" in first.stdout
    kept = read_table(home, "prompt_lenses")
    assert pq.read_table(out).equals(kept)
    assert set(kept["layer"].to_pylist()) == {0, 1, 2, 3}
    (run,) = read_table(home, "runs").to_pylist()
    assert (run["kind"], run["corpus"], run["strategy"]) == ("prompt_lens", None, "base")
    again = pivots(home, *request)
    assert again.stdout == first.stdout
    assert again.stderr == "", "nothing is computed twice"


@pytest.mark.slow
def test_sentences_are_translated_and_kept(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "sentences.tsv"
    path.write_text(SENTENCES + "\n", encoding="utf-8")
    request = ["score", "--corpus", "c", "--model", BASE_MODEL, "--sentences", path]
    request += ["--shots", 1, "--max-new-tokens", 9]
    done = pivots(home, *request, "--items", 3)
    assert done.returncode == 0, done.stderr
    assert "fct_sentence_scores" in done.stdout
    scores = read_table(home, "sentence_scores")
    assert scores.num_rows == 3 * 2
    assert read_table(home, "sentence_ngrams").num_rows == 8 * 3 * 2
    refused = pivots(home, *request, "--language-name", "French")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == "pivots: --language-name French: write code=Name, for example oc=Occitan"
