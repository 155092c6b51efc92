"""What becomes of good records, of files that come again, and of bad requests."""

import json
import unicodedata
from pathlib import Path

import pytest
import tokenizers

from support.corpora.files import DOCUMENTS, REJECTS, document, lake_bytes, rows, write_jsonl, write_tokenizer
from support.corpora.ingested import ingest
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.lake import identity


def test_rows_say_what_the_record_says(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    text = "Un e\u0301te\u0301 d'eau 水 <|endoftext|> fin"
    path = write_jsonl(tmp_path / "a.jsonl.zst", [document("x", text, lang="fra_Latn", source="web")])
    ingest(home, path, tokenizer=tokenizer)
    nfc = unicodedata.normalize("NFC", text)
    plain = tokenizers.Tokenizer.from_file(str(tokenizer))
    plain.encode_special_tokens = True
    expected = plain.encode(nfc, add_special_tokens=False).ids
    assert 0 not in expected  # the special token is text here
    [row] = rows(
        home, "select doc_id, lang, content_hash, n_chars, n_bytes, n_tokens, token_ids, source from raw.documents"
    )
    assert row == (
        identity.doc_id("c", "web", "x"),
        "fr",
        identity.content_hash(nfc),
        len(nfc),
        len(nfc.encode()),
        len(expected),
        expected,
        "web",
    )


def test_tokens_and_corpora_are_written_once(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    ingest(home, write_jsonl(tmp_path / "a.jsonl", [document("x", "water")]), tokenizer=tokenizer)
    [(name, size, eos)] = rows(home, "select tokenizer_name, vocab_size, eos_token_id from raw.corpora")
    assert (name, size, eos) == ("small500", 500, 0)
    tokens = {
        token: (n_bytes, script, special, blank)
        for token, n_bytes, script, special, blank in rows(
            home, "select token, n_bytes, script, is_special, is_blank from raw.tokens"
        )
    }
    assert tokens["<|endoftext|>"] == (13, "Latin", True, False)
    assert tokens["<0xE4>"] == (1, "Partial", False, False)
    assert tokens[" "] == (1, "Common", False, True)
    assert tokens["水"] == (3, "Han", False, False)
    assert rows(home, "select count(*), min(token_id), max(token_id) from raw.tokens") == [(500, 0, 499)]


@pytest.mark.slow
def test_large_document(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    text = "The river, l'eau 水. " * 250_000  # 6 MB on one line: more than a piece and a chunk
    path = write_jsonl(tmp_path / "big.jsonl", [document("a", "water"), document("big", text), document("z", "end")])
    ingest(home, path, tokenizer=tokenizer)
    assert rows(home, "select source_id, line_number, n_chars from raw.documents order by 2") == [
        ("a", 1, 5),
        ("big", 2, len(text)),
        ("z", 3, 3),
    ]


def test_smallest_content_wins_across_files_and_the_loser_is_seen(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    texts = {"one.jsonl": "first text", "two.jsonl": "second text"}
    for name, text in texts.items():
        write_jsonl(tmp_path / "in" / name, [document("same", text), document(name, "other")])
    summary = ingest(home, tmp_path / "in", tokenizer=tokenizer)
    assert summary.n_superseded == 1
    winner = min(texts, key=lambda name: identity.content_hash(texts[name]))
    [loser] = set(texts) - {winner}
    assert rows(home, "select source_file from raw.documents where source_id = 'same'") == [(f"in/{winner}",)]
    assert rows(home, REJECTS) == [(f"in/{loser}", 1, "duplicate id with other text")]
    assert rows(home, "select count(*) from raw.superseded_documents") == [(1,)]


def test_smallest_content_wins_within_a_file_of_many_pieces(
    home: Home, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.ingest.readers.dolma.PIECE_BYTES", 100)
    monkeypatch.setattr("warehouse.ingest.readers.compressed._READ_BYTES", 64)
    texts = [f"text number {i}" for i in range(20)]
    records = [document("same", text) for text in texts] + [document(str(i), f"other {i}") for i in range(20)]
    ingest(home, write_jsonl(tmp_path / "a.jsonl", records), tokenizer=tokenizer)
    best = min(texts, key=identity.content_hash)
    assert rows(home, "select line_number from raw.documents where source_id = 'same'") == [(texts.index(best) + 1,)]
    assert rows(home, "select reason, count(*) from raw.rejects group by 1") == [("duplicate id with other text", 19)]
    assert rows(home, "select count(*) from raw.documents") == [(21,)]


def test_again_does_nothing_and_new_files_are_added(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_jsonl(folder / "a.jsonl", [document("a", "water")])
    assert ingest(home, folder, tokenizer=tokenizer).n_new_files == 1
    before = lake_bytes(home)
    assert ingest(home, folder, tokenizer=tokenizer).n_new_files == 0
    assert lake_bytes(home) == before
    write_jsonl(folder / "b.jsonl", [document("b", "river")])
    summary = ingest(home, folder, tokenizer=tokenizer)
    assert (summary.n_new_files, summary.tally.n_docs) == (1, 2)
    assert rows(home, "select count(*) from raw.documents") == [(2,)]


def test_folder_with_other_files(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_jsonl(folder / "documents" / "a.jsonl", [document("a", "water")])
    write_jsonl(folder / "attributes" / "x" / "a.jsonl", [{"id": "a", "attributes": {}}])
    (folder / "manifest.json").write_text(json.dumps({"n_docs": 1}))
    (folder / "README.md").write_text("read me")
    (folder / "page.txt").write_text("The river is cold.")
    summary = ingest(home, folder, tokenizer=tokenizer)
    assert summary.left_out == ["in/README.md", "in/attributes/x/a.jsonl", "in/manifest.json"]
    assert summary.files_by_format == {"dolma": 1, "text": 1}
    assert summary.tally.n_rejects == 0


def test_mistakes_are_found_before_work(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    good = write_jsonl(tmp_path / "a.jsonl", [document("a", "water")])
    (tmp_path / "b.xyz").write_text("x")
    (tmp_path / "not.json").write_text("{}")
    (tmp_path / "empty").mkdir()

    def fails(
        message: str, path: Path = good, *, with_tokenizer: str = str(tokenizer), corpus: str = "c", **kw
    ) -> None:
        with pytest.raises(UsageError, match=message):
            ingest_corpus(home, [path], corpus=corpus, tokenizer=with_tokenizer, options=IngestOptions(**kw))

    fails("no such file", tmp_path / "absent")
    fails("cannot tell its format", tmp_path / "b.xyz")
    fails("no files to ingest", tmp_path / "empty")
    fails("choose one of auto", format="csv")
    fails("not a tokenizer", with_tokenizer=tmp_path / "not.json")
    fails("no such tokenizer file", with_tokenizer=tmp_path / "absent.json")
    fails("use letters", corpus="../x")
    fails("lies between", max_reject_share=2)
    fails("not a language code", lang="und")
    fails("exclude each other", lang="en", lang_column="lang")
    fails("has no such token", eos_token_id=500)
    assert not home.lake.exists()

    ingest(home, good, tokenizer=tokenizer)
    other = write_tokenizer(tmp_path, vocab_size=400)
    before = lake_bytes(home)
    fails("made with tokenizer small500", with_tokenizer=other)
    fails("made with --eos-token-id 0", eos_token_id=1)
    fails("read with other options", lang="fr")
    assert lake_bytes(home) == before


def test_same_bytes_under_two_names_are_one_file(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_jsonl(tmp_path / "in" / name, [document("a", "water")])
    summary = ingest(home, tmp_path / "in", tokenizer=tokenizer)
    assert summary.tally.n_files == 1
    assert summary.same_bytes == ["in/b.jsonl"]
    assert len(rows(home, DOCUMENTS)) == 1
