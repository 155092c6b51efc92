"""The two commands as a user meets them: plain lines on success, one line and an exit code otherwise."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.corpora.files import document, write_jsonl, write_tokenizer
from warehouse import cli


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["pivots", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return int(exit_.value.code or 0)


def test_ingest_and_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PIVOTS_HOME", str(tmp_path / "home"))
    words = write_jsonl(tmp_path / "w.jsonl", [{"en": {"en": "water", "fr": ["chat"]}, "fr": {"fr": "eau"}}, "[]"])
    assert run(monkeypatch, "words", "import", words) == 0
    out = capsys.readouterr().out
    assert "words        1 en, 1 fr; 2 of them in no other list" in out
    assert "rejects      1 (1 not a JSON object)" in out
    folder = tmp_path / "in"
    write_jsonl(folder / "a.jsonl.zst", [document("a", "water"), document("b", "l'eau")])
    (folder / "notes.md").write_text("notes")
    ingest = ["ingest", folder, "--corpus", "c", "--tokenizer", write_tokenizer(tmp_path)]
    assert run(monkeypatch, *ingest) == 0
    out = capsys.readouterr().out
    assert "files      1 (1 dolma), 1 new" in out
    assert "documents  2, tokenised with gigatoken" in out
    assert "left out   1 of no known format: in/notes.md" in out
    assert run(monkeypatch, *ingest) == 0
    assert "0 new" in capsys.readouterr().out


def test_auto_says_what_it_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIVOTS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "in"
    write_jsonl(folder / "a.jsonl.zst", [document("a", "water")])
    write_jsonl(folder / "b.json", [document("b", "river")])
    (folder / "c.json.gz").write_bytes(gzip.compress(b'{"settings": true}\n'))
    pq.write_table(pa.table({"text": ["house"]}), folder / "d.parquet")
    np.resize(np.array([0, 300, 301], "<u2"), 2048).tofile(folder / "e.npy")
    (folder / "f.txt").write_text("The water is cold.")
    tokenizer = write_tokenizer(tmp_path)
    assert run(monkeypatch, "ingest", folder, "--corpus", "c", "--tokenizer", tokenizer) == 0
    out = capsys.readouterr().out
    assert "files      5 (2 dolma, 1 memmap, 1 parquet, 1 text), 5 new" in out
    assert "left out   1 of no known format: in/c.json.gz" in out


def test_chosen_instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PIVOTS_HOME", str(tmp_path / "home"))
    for number in range(3):
        np.append(np.full(2047, 300 + number), 0).astype("<u2").tofile(tmp_path / f"{number}.npy")
    np.array([2, 0, 1], "<u4").tofile(tmp_path / "global_indices")
    files = [tmp_path / f"{number}.npy" for number in range(3)]
    arguments = ["ingest", *files, "--corpus", "c", "--tokenizer", write_tokenizer(tmp_path)]
    arguments += ["--global-indices", tmp_path / "global_indices"]
    assert run(monkeypatch, *arguments, "--index-range", "0:4") == 2
    assert "has 3 elements" in capsys.readouterr().err
    assert run(monkeypatch, *arguments, "--index-range", "0:2") == 0
    out = capsys.readouterr().out
    assert "files      2 (2 memmap), 2 new" in out
    assert "left out   1 without a chosen instance: 1.npy" in out


def test_mistakes_and_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIVOTS_HOME", str(tmp_path / "home"))
    bad = write_jsonl(tmp_path / "bad.jsonl", ["[]"])
    tokenizer = write_tokenizer(tmp_path)
    for arguments, code, message in (
        (["ingest", tmp_path / "x", "--corpus", "c", "--tokenizer", tokenizer], 2, "no such file or folder"),
        (["ingest", bad, "--corpus", "c", "--tokenizer", bad], 2, "not a tokenizer"),
        (["ingest", bad, "--corpus", "c", "--tokenizer", tokenizer], 1, "1 of 1 records were rejected (100.0%"),
        (["words", "import", bad], 2, "no usable record"),
    ):
        assert run(monkeypatch, *arguments) == code
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
