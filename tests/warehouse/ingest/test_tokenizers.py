"""Corpora of tokenizers of every kind: what is not exact, what loses text, what was saved again."""

import json
from pathlib import Path

import pytest
import tokenizers

from support.corpora.files import REJECTS, document, lake_bytes, rows, write_jsonl, write_tokenizer
from support.corpora.ingested import ANY_SHARE, ingest
from support.corpora.tokenizer_kinds import tokenizer_of_kind
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.ingest import register_corpus
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake.corpora import tokenizer_file
from warehouse.text import tokenizing


@pytest.mark.parametrize("whole_share", [0, 1])
def test_falls_back_to_the_reference_tokenizer(
    home: Home,
    tokenizer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    whole_share: float,
) -> None:
    """A fast engine that errs on some real text, which the probes did not show."""
    encode = tokenizing.Encoder.encode

    def inexact(self: tokenizing.Encoder, texts):  # type: ignore[no-untyped-def]
        encoded = encode(self, texts)
        if self.engine == "gigatoken" and any(b"river" in text for text in texts):
            encoded.token_ids[0] += 1
        return encoded

    folder = tmp_path / "in"
    write_jsonl(folder / "a.jsonl", [document("a", "water")])
    write_jsonl(folder / "b.jsonl", [document("b", "a river")])
    write_jsonl(folder / "c.jsonl", [document("c", "house")])
    monkeypatch.setattr(tokenizing.Encoder, "encode", inexact)
    monkeypatch.setattr("warehouse.ingest.workers._WHOLE_SHARE", whole_share)  # files one by one, or all in one task
    summary = ingest(home, folder, tokenizer=tokenizer)
    assert summary.engine == "tokenizers"
    assert "gigatoken is not exact for tokenizer small500" in capsys.readouterr().err
    assert (summary.tally.n_files, summary.tally.n_docs) == (3, 3)
    expected = tokenizers.Tokenizer.from_file(str(tokenizer)).encode("a river").ids
    assert rows(home, "select token_ids from raw.documents where source_id = 'b'") == [(expected,)]
    # and it is remembered
    assert register_corpus.tokenizer_engine(
        home, rows(home, "select tokenizer_hash from raw.corpora")[0][0], probed="x"
    ) == ("tokenizers")


def test_text_that_tokens_do_not_give_back(home: Home, tmp_path: Path) -> None:
    """A vocabulary without all bytes drops characters: refused by the probes, else a reject of the document."""
    path = write_jsonl(tmp_path / "a.jsonl", [document("a", "water"), document("b", "a\x04b"), document("c", "house")])
    for name, character in (("holes", "\u00c3"), ("one hole", "\u0104")):  # the bytes 0xC3 and 0x04
        tokenizer = json.loads(write_tokenizer(tmp_path).read_text())
        model = tokenizer["model"]
        model["vocab"] = {token: i for token, i in model["vocab"].items() if character not in token}
        model["merges"] = [m for m in model["merges"] if {*m, "".join(m)} <= set(model["vocab"])]
        (tmp_path / f"{name}.json").write_text(json.dumps(tokenizer))
    with pytest.raises(UsageError, match="does not give back the text"):
        ingest(home, path, tokenizer=tmp_path / "holes.json")
    ingest(home, path, tokenizer=tmp_path / "one hole.json")
    assert rows(home, "select source_id, n_bytes from raw.documents order by 1") == [("a", 5), ("c", 5)]
    assert rows(home, REJECTS) == [("a.jsonl", 2, "text is lost in tokens")]


@pytest.mark.parametrize("kind", ["gemma", "llama2", "xglm"])
def test_words_are_found_whatever_the_tokenizer_writes(home: Home, tmp_path: Path, kind: str) -> None:
    """Words are found when they are imported before and after, however a tokenizer writes texts."""
    (tmp_path / f"{kind}.json").write_bytes(tokenizer_of_kind(kind))
    texts = {"a": "The water of the river", "b": "L'eau  est froide,\nla maison", "c": "水很冷", "d": "house"}
    path = write_jsonl(tmp_path / "a.jsonl", [document(name, text) for name, text in texts.items()])
    (tmp_path / "w.csv").write_text("en,fr,zh\nwater,eau,水\nhouse,maison,房子\n", encoding="utf-8")
    words = tmp_path / "w.csv"
    ingest(home, path, tokenizer=tmp_path / f"{kind}.json")
    import_words(home, words)
    query = """
        select d.source_id, w.word from raw.word_documents as m
        join raw.documents as d using (doc_id) join raw.words as w using (word_id) order by all
    """
    later = rows(home, query)
    assert {("a", "water"), ("b", "eau"), ("c", "水")} <= set(later)
    other = Home(tmp_path / "other")
    import_words(other, words)
    ingest(other, path, tokenizer=tmp_path / f"{kind}.json")
    assert rows(other, query) == later
    every = "select doc_id, word_id, n_matches, token_starts from raw.word_documents order by all"
    assert rows(home, every) == rows(other, every)


def saved_again(tokenizer: Path, folder: Path) -> Path:
    """Save a tokenizer as a model's author does, in other bytes."""
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_file=str(tokenizer)).save_pretrained(folder)
    assert (folder / "tokenizer.json").read_bytes() != tokenizer.read_bytes()
    return folder / "tokenizer.json"


def test_a_tokenizer_that_was_saved_again_is_the_same(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path, again = (
        write_jsonl(tmp_path / "a.jsonl", [document("a", "water")]),
        saved_again(tokenizer, tmp_path / "model"),
    )
    ingest(home, path, tokenizer=tokenizer)
    before = lake_bytes(home)
    assert ingest(home, path, tokenizer=again).n_new_files == 0
    assert lake_bytes(home) == before
    ingest_corpus(home, [path], corpus="d", tokenizer=str(again), options=ANY_SHARE)
    assert len({name for (name,) in rows(home, "select tokenizer_hash from raw.corpora")}) == 1
    with pytest.raises(UsageError, match="was made with tokenizer"):
        ingest(home, path, tokenizer=write_tokenizer(tmp_path, vocab_size=400))


def test_a_home_that_knows_tokenizers_by_their_bytes_goes_on(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path, again = (
        write_jsonl(tmp_path / "a.jsonl", [document("a", "water")]),
        saved_again(tokenizer, tmp_path / "model"),
    )
    old = file_hash(tokenizer)
    kept = tokenizer_file(home, old)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(tokenizer.read_bytes())
    for given in (tokenizer, again):
        ingest(home, path, tokenizer=given)
        assert rows(home, "select distinct tokenizer_hash from raw.corpora") == [(old,)]
        assert rows(home, "select distinct tokenizer_hash from raw.tokens") == [(old,)]
    assert [file.name for file in kept.parent.glob("*.json")] == [kept.name]
