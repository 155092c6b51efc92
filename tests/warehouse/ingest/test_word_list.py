"""Word lists: what is kept of good and bad records, and what it costs to add one later."""

import gzip
import json
from pathlib import Path

import pytest
import tokenizers
import zstandard

from support.corpora.files import WORD_DOCUMENTS, document, lake_bytes, rows, write_jsonl, write_tokenizer
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words, read_word_list
from warehouse.lake import identity

DOG = {
    "en": {"en": "dog", "fr": ["chat", "eau"], "zh": ["猫"]},
    "fr": {"fr": "chien", "en": ["cat", "water"], "zh": ["水"]},
    "zh": {"zh": "狗", "en": ["house"], "fr": ["maison"]},
}
WATER = {
    "en": {"en": "water", "fr": ["chat"], "zh": ["猫"]},
    "fr": {"fr": "eau", "en": ["cat"], "zh": ["猫"]},
    "zh": {"zh": "水", "en": ["cat"], "fr": ["chat"]},
}


def test_a_good_record(home: Home, tmp_path: Path) -> None:
    summary = import_words(home, write_jsonl(tmp_path / "w.jsonl.zst", [DOG]))
    item = identity.item_id({"en": "dog", "fr": "chien", "zh": "狗"})
    assert (summary.n_items, summary.n_new_words, summary.n_distractors) == (1, 3, 8)
    assert rows(
        home, "select item_id, lang, word from raw.translation_items join raw.words using (lang, word_id) order by 2"
    ) == [
        (item, "en", "dog"),
        (item, "fr", "chien"),
        (item, "zh", "狗"),
    ]
    # r[fr][en] holds wrong English words for translating into French
    wrong = "select source_lang, target_lang, candidate, word from raw.distractors where item_id = {} order by all"
    assert rows(home, wrong.format(item)) == [
        ("en", "fr", 1, "cat"),
        ("en", "fr", 2, "water"),
        ("en", "zh", 1, "house"),
        ("fr", "en", 1, "chat"),
        ("fr", "en", 2, "eau"),
        ("fr", "zh", 1, "maison"),
        ("zh", "en", 1, "猫"),
        ("zh", "fr", 1, "水"),
    ]
    assert rows(home, "select * from raw.rejects") == []


def test_bad_records_are_rejects_and_what_is_good_of_them_is_kept(home: Home, tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(WATER))
    wrong["fr"]["en"] = ["cat", "water", "Cat", "", 3, *"abcdefghij"]  # the answer, twice the same, empty, no string
    wrong["zh"]["en"] = "cat"
    path = write_jsonl(
        tmp_path / "w.jsonl",
        [
            DOG,
            {"en": "error: model overloaded", "fr": "x", "zh": "y"},
            wrong,
            {"en": {"en": "cat"}, "fr": {"fr": "chat"}},  # no Chinese
            {"en": {"en": "house"}, "fr": {"fr": "maison"}, "zh": {"zh": "  "}},
            {"en": {"en": "alone"}},
            {"en": {"en": "old"}, "fr": "vieux", "zh": {"zh": "旧"}},
            [1],
            "{",
            b'{"en": "\xff"}',
            "",
            DOG,
        ],
    )
    import_words(home, path)
    reasons = rows(home, "select line_number, reason from raw.rejects order by all")
    assert reasons == sorted(
        [
            (2, "failed record"),
            (3, "distractor is the answer"),
            (3, "duplicate distractor"),
            (3, "empty or unusable distractor"),
            (3, "empty or unusable distractor"),
            (3, "more than nine distractors"),
            (3, "more than nine distractors"),
            (3, "distractors are no list"),
            (4, "missing language"),
            (5, "empty or unusable word"),
            (5, "missing language"),
            (6, "fewer than two languages"),
            (7, "language is no object"),
            (7, "missing language"),
            (8, "not a JSON object"),
            (9, "invalid JSON"),
            (10, "invalid UTF-8"),
            (12, "duplicate item"),
        ]
    )
    assert rows(home, "select distinct corpus, step, source_file from raw.rejects") == [(None, "words", "w.jsonl")]
    items = rows(
        home,
        """select list(word order by lang) from raw.translation_items join raw.words using (lang, word_id)
        group by item_id order by 1""",
    )
    assert items == [
        (["cat", "chat"],),
        (["dog", "chien", "狗"],),
        (["house", "maison"],),
        (["old", "旧"],),
        (["water", "eau", "水"],),
    ]
    kept = rows(
        home,
        """select list(word order by candidate), max(candidate) from raw.distractors
        where source_lang = 'en' and target_lang = 'fr' and len(word) = 1 or word = 'cat' and candidate = 1
        group by item_id, source_lang, target_lang order by 1""",
    )
    assert (["cat", *"abcdefgh"], 9) in kept


def test_any_languages_and_unnormalised_words(home: Home, tmp_path: Path) -> None:
    record = {"sw": {"sw": " maji "}, "de": {"de": "Wa\u0308sche"}, "yo": {"yo": "omi"}}
    import_words(home, write_jsonl(tmp_path / "w.jsonl", [record]))
    assert rows(home, "select lang, word from raw.words order by 1") == [
        ("de", "W\u00e4sche"),
        ("sw", "maji"),
        ("yo", "omi"),
    ]


def test_again_does_nothing(home: Home, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "w.jsonl", [DOG])
    assert not import_words(home, path).was_known
    before = lake_bytes(home)
    assert import_words(home, path).was_known
    assert lake_bytes(home) == before


def test_a_second_list_matches_only_its_new_words(home: Home, tmp_path: Path) -> None:
    tokenizer = str(write_tokenizer(tmp_path))
    path = write_jsonl(tmp_path / "a.jsonl", [document("a", "The dog drinks water. 水 chat"), document("b", "cat")])
    ingest_corpus(home, [path], corpus="c", tokenizer=tokenizer)
    assert import_words(home, write_jsonl(tmp_path / "w1.jsonl", [DOG])).n_matched_files == 1
    before = lake_bytes(home)
    second = import_words(home, write_jsonl(tmp_path / "w2.jsonl", [WATER, DOG]))
    assert (second.n_items, second.n_new_words, second.n_matched_files) == (2, 3, 1)
    after = lake_bytes(home)
    assert {name: after[name] for name in before} == before
    assert rows(home, "select count(*), count(distinct word_id) from raw.words") == [(6, 6)]
    assert rows(home, "select count(*), count(distinct item_id) from raw.translation_items") == [(6, 2)]

    both = Home(tmp_path / "both")
    import_words(both, write_jsonl(tmp_path / "w12.jsonl", [DOG, WATER]))
    ingest_corpus(both, [path], corpus="c", tokenizer=tokenizer)
    found = rows(home, WORD_DOCUMENTS)
    assert found == rows(both, WORD_DOCUMENTS)
    words = rows(
        home,
        "select source_id, word, n_matches from raw.word_documents join raw.documents using (doc_id) "
        "join raw.words using (word_id) order by 1, 2",
    )
    assert words == [("a", "dog", 1), ("a", "water", 1), ("a", "水", 1)]


def test_forms_are_written_for_every_tokenizer(home: Home, tmp_path: Path) -> None:
    """Whether the tokenizer or the words came first."""
    path = write_jsonl(tmp_path / "a.jsonl", [document("a", "The dog drinks water.")])
    first, second = write_tokenizer(tmp_path), write_tokenizer(tmp_path, vocab_size=400)
    ingest_corpus(home, [path], corpus="c", tokenizer=str(first))
    import_words(home, write_jsonl(tmp_path / "w.jsonl", [DOG]))
    ingest_corpus(home, [path], corpus="d", tokenizer=str(second))
    found = rows(
        home,
        "select tokenizer_name, word, form, token_ids from raw.word_token_forms "
        "join raw.corpora using (tokenizer_hash) join raw.words using (word_id)",
    )
    expected = {
        (tokenizer.stem, word, form): tokenizers.Tokenizer.from_file(str(tokenizer)).encode(text).ids
        for tokenizer in (first, second)
        for word in ("dog", "chien", "狗")
        for form, text in (("bare", word), ("spaced", f" {word}"))
    }
    assert {(name, word, form): ids for name, word, form, ids in found} == expected
    assert len(found) == len(expected)


def test_truncated_list(tmp_path: Path) -> None:
    lines = [{"en": {"en": f"w{i * i:x}"}, "fr": {"fr": f"m{i * 7919:x}"}} for i in range(3000)]
    path = write_jsonl(tmp_path / "w.jsonl", lines)
    compressed = gzip.compress(path.read_bytes())
    path.write_bytes(compressed[: len(compressed) // 2])
    words = read_word_list(path)
    assert [reject.reason for reject in words.rejects] == ["truncated file"]
    assert 0 < len(words.items) < 3000


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"en": "x"}\n', b"not JSON\n", zstandard.compress(b"")])
def test_a_list_without_items_is_a_mistake(home: Home, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match="no usable record in it"):
        import_words(home, tmp_path / "w.jsonl")
    with pytest.raises(UsageError, match="no such file"):
        import_words(home, tmp_path / "absent.jsonl")
    assert not home.lake.exists()


THREE_ITEMS = [{"de": "Haus", "en": "house"}, {"de": "Wasser", "en": "water"}, {"de": "Hund, der", "en": 'say "dog"'}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.csv", 'en,de\nhouse,Haus\n water , Wasser\n"say ""dog""","Hund, der"\n'),
        ("w.csv", '\ufeffEN;deu\r\nhouse;Haus\r\n\r\nwater;Wasser\r\n"say ""dog""";Hund, der\r\n'),
        ("w.tsv", 'en\tde\nhouse\tHaus\nwater\tWasser\n"say ""dog"""\tHund, der\n'),
        ("words.txt", 'en\tde\nhouse\tHaus\nwater\tWasser\n"say ""dog"""\tHund, der\n'),
        ("words", 'en,de\nhouse,Haus\nwater,Wasser\n"say ""dog""","Hund, der"\n'),
        ("w.jsonl", "\n".join(json.dumps(item) for item in THREE_ITEMS)),
        ("words.txt", "\n" + "\n".join(json.dumps({"eng": i["en"], "de": i["de"], "fr": None}) for i in THREE_ITEMS)),
    ],
    ids=["csv", "csv of a spreadsheet", "tsv", "tsv by content", "csv by content", "jsonl", "jsonl by content"],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_lists_as_people_have_them(tmp_path: Path, name: str, text: str, is_compressed: bool) -> None:
    path = tmp_path / (name + ".gz" * is_compressed)
    path.write_bytes(gzip.compress(text.encode()) if is_compressed else text.encode())
    words = read_word_list(path)
    assert [item.words for item in words.items] == THREE_ITEMS
    assert not words.rejects
    assert all(not item.distractors for item in words.items)


def test_bad_rows_of_a_table_are_rejects(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes(b'en,de,fr\nhouse,Haus,maison\ncat\n"open,Katze,chat\nwater,,eau\nh\xff,b,c\nhouse,Haus,maison\n')
    words = read_word_list(path)
    assert [item.words for item in words.items] == [
        {"de": "Haus", "en": "house", "fr": "maison"},
        {"en": "water", "fr": "eau"},
    ]
    assert [(reject.line_number, reject.reason) for reject in words.rejects] == [
        (3, "other number of columns"),
        (4, "not a row of the table"),
        (6, "invalid UTF-8"),
        (7, "duplicate item"),
    ]


def test_flat_records_keep_the_languages_among_their_keys(tmp_path: Path) -> None:
    records = [{"en": "house", "de": "Haus", "n": 3, "source": "x"}, {"en": "water", "de": ["Wasser"]}, {"en": "cat"}]
    words = read_word_list(write_jsonl(tmp_path / "w.jsonl", records))
    assert [item.words for item in words.items] == [{"de": "Haus", "en": "house"}]
    assert [(reject.line_number, reject.reason) for reject in words.rejects] == [
        (1, "not a language"),
        (1, "not a language"),
        (2, "empty or unusable word"),
        (2, "fewer than two languages"),
        (3, "fewer than two languages"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"house,Haus\nwater,Wasser\n", "first line of a table names the languages"),
        (b"en\nhouse\n", "first line of a table names the languages"),
        (b"en,eng\nhouse,maison\n", "two columns hold the same language"),
        ("en,de\nhouse,Haus\n".encode("utf-16"), "save the table as UTF-8"),
        (b"en,de\n", "no usable record in it .it is empty."),
    ],
)
def test_a_table_without_languages_is_a_mistake(home: Home, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "w.csv").write_bytes(content)
    with pytest.raises(UsageError, match=why):
        import_words(home, tmp_path / "w.csv")
    assert not home.lake.exists()
