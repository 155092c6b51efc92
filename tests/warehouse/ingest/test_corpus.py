"""What becomes of good and bad records, whole files, and bad requests."""

import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tokenizers

from support.corpora.files import DOCUMENTS, REJECTS, document, lake_bytes, rows, write_jsonl, write_tokenizer
from support.corpora.tokenizer_kinds import tokenizer_of_kind
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.ingest import register_corpus
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake import identity
from warehouse.lake.corpora import tokenizer_file
from warehouse.text import tokenizing

ANY_SHARE = IngestOptions(max_reject_share=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path)


def ingest(home: Home, *paths: Path, tokenizer: Path, options: IngestOptions = ANY_SHARE) -> IngestSummary:
    return ingest_corpus(home, list(paths), corpus="c", tokenizer=str(tokenizer), options=options)


def test_bad_records_are_rejects_and_good_ones_documents(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "in" / "mixed.jsonl",
        [
            document("good", "The water is cold."),
            "",
            b'{"id": "utf8", "text": "\xff"}',
            "[1, 2]",
            '{"id": "cut", "text": "abc',
            {"id": "no text"},
            {"id": "null", "text": None},
            {"id": "number", "text": 3},
            {"text": "no id"},
            {"id": ["list"], "text": "id of a wrong type"},
            document("blank", " \n\t\u3000"),
            '{"id": "surrogate", "text": "a\\ud800b"}',
            document("nul", "a\0b"),
            document("good", "The water is cold."),
            document("last", "Die Katze", lang=None),
        ],
    )
    ingest(home, path, tokenizer=tokenizer)
    assert rows(home, "select source_id, line_number, lang, lang_source from raw.documents order by 2") == [
        ("good", 1, "en", "metadata"),
        ("last", 15, "de", "detector"),
    ]
    assert rows(home, "select line_number, reason from raw.rejects order by line_number") == [
        (3, "invalid UTF-8"),
        (4, "not a JSON object"),
        (5, "invalid JSON"),
        (6, "missing text"),
        (7, "missing text"),
        (8, "text is not a string"),
        (9, "missing id"),
        (10, "id is not a string"),
        (11, "blank text"),
        (12, "lone surrogate in text"),
        (13, "NUL in text"),
        (14, "duplicate id"),
    ]
    assert rows(home, "select n_docs, n_rejects, format, source_file from raw.source_files") == [
        (2, 12, "dolma", "mixed.jsonl")
    ]


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


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jsonl", b"", "empty file"),
        ("empty.txt", b"", "empty file"),
        ("empty.parquet", b"", "empty file"),
        ("broken.parquet", b"PAR1 and then nothing", "not readable as Parquet"),
        ("cut.jsonl.gz", b"\x1f\x8b\x08", "truncated file"),
        ("bad.txt", b"\xff\xfe", "invalid UTF-8"),
        ("short.npy", b"\0\0" * 5, "shorter than one instance"),
    ],
)
def test_unreadable_files_are_rejects(
    home: Home, tokenizer: Path, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    ingest(home, tmp_path / name, tokenizer=tokenizer)
    assert rows(home, REJECTS) == [(name, None, reason)]
    assert rows(home, "select n_docs, n_rejects from raw.source_files") == [(0, 1)]


def test_complete_lines_of_a_truncated_file_are_kept(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "t.jsonl.zst", [document(str(i), f"water {i * i} {i:x}") for i in range(5000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    ingest(home, path, tokenizer=tokenizer)
    [(reason, detail)] = rows(home, "select reason, detail from raw.rejects")
    [(n_docs, last)] = rows(home, "select count(*), max(line_number) from raw.documents")
    assert reason == "truncated file"
    assert n_docs == last
    assert n_docs > 1000
    assert detail.startswith(f"after line {n_docs}:")


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


def test_past_the_share_of_rejects_it_stops_and_keeps_what_it_has(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [document("a", "water"), "[]", "[]", "{}"])
    for _ in range(2):  # the second time all is ingested, and still too much of it rejected
        with pytest.raises(StepFailed, match=r"3 of 4 records .* 2 for 'not a JSON object', 3 in a\.jsonl"):
            ingest(home, path, tokenizer=tokenizer, options=IngestOptions(max_reject_share=0.5))
    assert rows(home, "select count(*) from raw.documents") == [(1,)]
    assert ingest(home, path, tokenizer=tokenizer, options=IngestOptions(max_reject_share=0.75)).tally.n_rejects == 3


def test_languages_by_option_and_column(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    record = {"id": "a", "text": "water", "where": {"code": "swh"}}
    ingest(
        home, write_jsonl(tmp_path / "a.jsonl", [record]), tokenizer=tokenizer, options=IngestOptions(lang="cmn_Hani")
    )
    record["id"] = "b"
    options = IngestOptions(lang_column="where.code")
    ingest(home, write_jsonl(tmp_path / "b.jsonl", [record]), tokenizer=tokenizer, options=options)
    assert rows(home, "select source_id, lang, lang_source from raw.documents order by 1") == [
        ("a", "zh", "option"),
        ("b", "sw", "metadata"),
    ]


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


def test_same_bytes_under_two_names_are_one_file(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_jsonl(tmp_path / "in" / name, [document("a", "water")])
    summary = ingest(home, tmp_path / "in", tokenizer=tokenizer)
    assert summary.tally.n_files == 1
    assert summary.same_bytes == ["in/b.jsonl"]
    assert len(rows(home, DOCUMENTS)) == 1


def test_a_language_column_that_no_record_has_is_refused(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    """In every format, before anything is written; one record that states its language there is enough."""
    folder, options = tmp_path / "in", IngestOptions(lang_column="where.l\u00e5ng", max_reject_share=1)
    stated = {"id": "b", "text": "The water is old.", "where": {"l\u00e5ng": "en"}}
    silent = [{"id": "a", "text": "where l\u00e5ng"}, {"id": "a2", "text": "water", "where": {"l\u00e5ng": None}}, "{"]
    write_jsonl(folder / "a.jsonl", silent)
    pq.write_table(pa.Table.from_pylist([{"text": "water", "where": {"lang": "en"}}]), folder / "c.parquet")
    (folder / "page.txt").write_text("The river is cold.")
    for paths, why in (([folder / "a.jsonl"], "no record states"), ([folder / "c.parquet"], "no record states")):
        with pytest.raises(UsageError, match=f"^--lang-column where.l\u00e5ng: {why} its language there") as refusal:
            ingest(home, *paths, tokenizer=tokenizer, options=options)
        assert "\n" not in str(refusal.value)
    with pytest.raises(UsageError, match="plain text and token files have no columns"):
        ingest(home, folder / "page.txt", tokenizer=tokenizer, options=options)
    with pytest.raises(UsageError, match="no record states"):
        ingest(home, folder, tokenizer=tokenizer, options=options)
    assert not list(home.lake.rglob("*.parquet"))

    write_jsonl(folder / "z.jsonl", [stated])
    ingest(home, folder, tokenizer=tokenizer, options=options)
    assert rows(home, "select source_id from raw.documents where lang_source = 'metadata'") == [("b",)]
    # what is added to a corpus that was read so may lack it
    write_jsonl(folder / "y.jsonl", [{"id": "y", "text": "The house is old."}])
    assert ingest(home, folder, tokenizer=tokenizer, options=options).n_new_files == 1


def test_a_file_without_a_good_record_is_no_mistake_in_the_column(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ["{", {"id": "a"}])
    summary = ingest(
        home, path, tokenizer=tokenizer, options=IngestOptions(lang_column="speech\u00e9", max_reject_share=1)
    )
    assert summary.tally.n_rejects == 2


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
