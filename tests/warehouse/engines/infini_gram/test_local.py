"""A local index: what it is made of, and its answers against plain Python on the documents it was made of."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from support.corpora.files import document, write_jsonl, write_tokenizer
from support.homes.infini_gram_home import ITEMS, counted, gram_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.engines.infini_gram.files import open_shards
from warehouse.engines.infini_gram.indexing import build_index
from warehouse.engines.infini_gram.local import local_index
from warehouse.engines.infini_gram.questions import Index
from warehouse.ingest.corpus import ingest_corpus
from warehouse.lake import identity
from warehouse.lake.files import read_table
from warehouse.text.tokenizing import load_tokenizer
from warehouse.text.vocabulary import Vocabulary

pytest.importorskip("infini_gram.engine", reason="the package infini-gram is not installed")

Documents = list[list[int]]


def vocabulary(size: int) -> Vocabulary:
    """Return a vocabulary of which only the size matters."""
    import pyarrow as pa

    return Vocabulary(pa.array([b""] * size, pa.binary()), np.zeros(size, bool), np.ones(size, bool))


def write_index(folder: Path, documents: Documents, *, token_bytes: int = 2, shard: int = 0) -> Path:
    """Write one shard of an index by its definition: suffixes sorted byte by byte."""
    dtype = np.dtype(f"<u{token_bytes}")
    separator = np.full(1, 2 ** (8 * token_bytes) - 1, dtype).tobytes()
    pieces = [separator + np.array(tokens, dtype).tobytes() for tokens in documents]
    text = b"".join(pieces)
    places = sorted(range(0, len(text), token_bytes), key=lambda place: text[place:])
    pointer = int(np.ceil(np.log2(len(text)) / 8))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"tokenized.{shard}").write_bytes(text)
    (folder / f"table.{shard}").write_bytes(b"".join(place.to_bytes(pointer, "little") for place in places))
    starts = np.cumsum([0, *map(len, pieces)])[:-1]
    (folder / f"offset.{shard}").write_bytes(starts.astype("<u8").tobytes())
    return folder


def index(folder: Path, *, size: int = 50_000, max_diff_tokens: int = 100, max_clause_freq: int = 1000) -> Index:
    return local_index(
        folder,
        tokenizer_hash="t",
        vocabulary=vocabulary(size),
        max_diff_tokens=max_diff_tokens,
        max_clause_freq=max_clause_freq,
    )


def places(flat: list[int], tokens: tuple[int, ...]) -> list[int]:
    return [i for i in range(len(flat) - len(tokens) + 1) if tuple(flat[i : i + len(tokens)]) == tokens]


def naive_documents(documents: Documents, *words: tuple[int, ...]) -> int:
    """n(s), n(t), n(s,t) as in method section 2: documents."""
    return sum(all(places(tokens, word) for word in words) for tokens in documents)


def naive_near(documents: Documents, a: tuple[int, ...], b: tuple[int, ...], max_diff_tokens: int) -> int:
    """What the engine counts, as docs/infini-gram.md puts it: places of the rarer word (of the first, of equals) with
    the other one near on one side or both, unless a document ends between the outermost of the two or three places."""
    flat = [token for tokens in documents for token in (-1, *tokens)]
    of_a, of_b = places(flat, a), places(flat, b)
    rarer, other = (of_a, of_b) if len(of_a) <= len(of_b) else (of_b, of_a)
    count = 0
    for place in rarer:
        before = max((p for p in other if p < place), default=None)
        after = min((p for p in other if p >= place), default=None)
        near = [p for p in (before, after) if p is not None and abs(p - place) <= max_diff_tokens]
        if near and -1 not in flat[min(*near, place) : max(*near, place)]:
            count += 1
    return count


def random_documents(seed: int, *, n_docs: int = 60, n_tokens: int = 12) -> Documents:
    chance = random.Random(seed)
    return [[chance.randrange(n_tokens) for _ in range(chance.randrange(1, 40))] for _ in range(n_docs)]


@pytest.mark.parametrize("token_bytes", [2, 4])
def test_answers_are_those_of_plain_python(tmp_path: Path, token_bytes: int) -> None:
    documents, chance = random_documents(1), random.Random(2)
    folder = write_index(tmp_path / "a table of tokenized things", documents, token_bytes=token_bytes)
    fewer = 0
    for max_diff_tokens in (1, 5, 1000):
        ask = index(folder, max_diff_tokens=max_diff_tokens).ask
        for _ in range(60):
            a, b = (tuple(chance.randrange(13) for _ in range(chance.choice([1, 1, 2]))) for _ in range(2))
            word, pair = ask((a,)), ask((a, b))
            assert word.n_occurrences == sum(len(places(tokens, a)) for tokens in documents)
            assert word.n_docs == naive_documents(documents, a)
            assert pair.n_docs == naive_documents(documents, a, b)
            assert pair.n_occurrences == naive_near(documents, a, b, max_diff_tokens)
            assert not pair.is_approx
            fewer += pair.n_occurrences < pair.n_docs
    assert fewer, "places left out at the ends of documents: there are none in these"
    size = index(folder).ask(())
    assert size.n_occurrences == sum(map(len, documents)) + len(documents)
    assert size.n_docs == len(documents)


def test_shards_add_up(tmp_path: Path) -> None:
    documents = random_documents(3)
    for shard in range(11):  # the engine reads shard 10 before shard 2
        write_index(tmp_path / "i", documents[shard * 5 : shard * 5 + 5], shard=shard)
    ask = index(tmp_path / "i").ask
    for a in range(12):
        assert ask(((a,),)).n_docs == naive_documents(documents[:55], (a,))
        assert ask(((a,), (3, 4))).n_docs == naive_documents(documents[:55], (a,), (3, 4))


def test_the_flag_of_the_engine_is_kept_though_it_misses_some(tmp_path: Path) -> None:
    """With less than half of the places left out the engine says exact: why the mart has a flag of its own."""
    folder = write_index(tmp_path / "i", random_documents(1))
    n_places = index(folder).ask(((1,),)).n_occurrences
    flags = [
        index(folder, max_clause_freq=limit).ask(((1,), (2,))).is_approx
        for limit in (n_places // 3, n_places * 2 // 3, n_places)
    ]
    assert flags == [True, False, False]


def test_what_is_no_index_is_wrong_usage(tmp_path: Path) -> None:
    def refuses(folder: Path, message: str, **options: Any) -> None:
        with pytest.raises(UsageError, match=message):
            index(folder, **options)

    refuses(tmp_path / "nowhere", "no such folder; an index behind an API needs --url")
    (tmp_path / "empty").mkdir()
    refuses(tmp_path / "empty", "no infini-gram index there")
    documents = random_documents(1)
    for part, damage, message in (
        ("table", None, "table.0 is missing"),
        ("offset", None, "offset.0 is missing"),
        ("offset", b"", "is empty"),
        ("table", b"\0" * 10, "do not fit together"),
        ("tokenized", b"\1" * 100, "do not fit together"),
    ):
        folder = write_index(tmp_path / f"{part}-{message[:5]}", documents)
        (folder / f"{part}.0").unlink()
        if damage is not None:
            (folder / f"{part}.0").write_bytes(damage)
        refuses(folder, message)
    refuses(write_index(tmp_path / "ok", documents), "16 bits, too few for the 100,000 tokens", size=100_000)


# --- from a corpus to its counts ---

TEXTS = (
    "The water of the house: water, cold water.",
    "Une maison. L'eau de la maison, the water and eau again.",
    "水は water です。 The table.",
    "La table de la maison.",
    "Nothing of it.",
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = gram_home(tmp_path / "home")
    first = write_jsonl(tmp_path / "a.jsonl", [document(str(n), text) for n, text in enumerate(TEXTS)])
    second = write_jsonl(tmp_path / "b.jsonl", [document("3", "water " * 50)])  # one of the two records of an id counts
    ingest_corpus(home, [first, second], corpus="near", tokenizer=str(write_tokenizer(tmp_path)))
    return home


def corpus_documents(home: Home) -> Documents:
    from support.corpora.files import rows

    return [ids for (ids,) in rows(home, "select token_ids from raw.documents where n_tokens > 0") if ids]


def run(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["infini-gram", *arguments, "--corpus", "near", "--home", str(home.root)])


def test_a_corpus_is_indexed_and_counted(home: Home, tmp_path: Path) -> None:
    made = run(home, "index", "--out", str(tmp_path / "made"))
    assert made.exit_code == 0, made.output
    for n_now in (12, 0):
        shown = run(home, "count", "--index", str(tmp_path / "made"), "--max-diff-tokens", "20")
        assert shown.exit_code == 0, shown.output
        assert f"answered  {n_now} questions now" in shown.output
    documents = corpus_documents(home)
    tokenizer = load_tokenizer(str(tmp_path / "small500.json"))
    from tokenizers import Tokenizer

    encode = Tokenizer.from_str(tokenizer.content.decode())

    def ids(lang: str, word: str) -> tuple[int, ...]:
        return tuple(encode.encode(word if lang == "ja" else f" {word}", add_special_tokens=False).ids)

    by_key = counted(home)
    assert by_key[()] == (sum(map(len, documents)) + len(documents), False, len(documents))
    n_pairs = 0
    for item in ITEMS:
        words = {identity.word_id(lang, word): ids(lang, word) for lang, word in item.items()}
        for word_id, tokens in words.items():
            n_places = sum(len(places(document, tokens)) for document in documents)
            assert by_key[(word_id,)] == (n_places, False, naive_documents(documents, tokens))
        for key in {tuple(sorted((a, b))) for a in words for b in words if a < b}:
            a, b = (words[word_id] for word_id in key)
            if a == b or 0 in (by_key[(key[0],)][0], by_key[(key[1],)][0]):
                assert key not in by_key
            else:
                n_pairs += 1
                assert by_key[key][::2] == (naive_near(documents, a, b, 20), naive_documents(documents, a, b))
    assert n_pairs
    assert (
        "answered  0 questions now"
        in run(home, "count", "--index", str(tmp_path / "made"), "--max-diff-tokens", "20").output
    )


def test_the_indexer_sorts_as_the_definition_has_it(home: Home, tmp_path: Path) -> None:
    summary = build_index(home, "near", tmp_path / "made")
    documents = corpus_documents(home)
    assert (summary.n_docs, summary.n_tokens) == (len(documents), sum(map(len, documents)) + len(documents))
    assert len(documents) == 5  # one id has two records
    written = write_index(tmp_path / "written", documents)
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["offset.0", "table.0", "tokenized.0"]
    for name in ("tokenized.0", "offset.0", "table.0"):
        assert (tmp_path / "made" / name).read_bytes() == (written / name).read_bytes()
    assert open_shards(tmp_path / "made")[0].n_tokens == summary.n_tokens


def test_the_same_index_elsewhere_is_the_same_run(home: Home, tmp_path: Path) -> None:
    build_index(home, "near", tmp_path / "one" / "near")
    build_index(home, "near", tmp_path / "two" / "near")
    run(home, "count", "--index", str(tmp_path / "one" / "near"))
    again = run(home, "count", "--index", str(tmp_path / "two" / "near"))
    assert "answered  0 questions now" in again.output
    (row,) = [row for row in read_table(home, "runs").to_pylist() if row["kind"] == "infini_gram"]
    assert str(tmp_path) not in row["config"]


def test_an_index_is_not_written_where_it_cannot_be(home: Home, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for out, message in (("there", "exists already"), ("two words", "no path with blanks"), ("tokenized", "no path")):
        with pytest.raises(UsageError, match=message):
            build_index(home, "near", tmp_path / out)
    with pytest.raises(UsageError, match="no corpus 'far'"):
        build_index(home, "far", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_indexer_that_fails_leaves_nothing(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into parts that are shorter than their overlap, a small corpus gives a wrong table, or none."""
    monkeypatch.setattr("warehouse.engines.infini_gram.indexing._PARALLEL_BYTES", 0)
    monkeypatch.setenv("PIVOTS_THREADS", "2")
    with pytest.raises(StepFailed, match="the indexer of infini-gram"):
        build_index(home, "near", tmp_path / "bad")
    assert list(tmp_path.glob("*bad*")) == []


def test_a_corpus_that_is_not_here_needs_a_tokenizer(home: Home, tmp_path: Path) -> None:
    build_index(home, "near", tmp_path / "made")
    base = ["infini-gram", "count", "--corpus", "far", "--index", str(tmp_path / "made"), "--home", str(home.root)]
    failed = CliRunner().invoke(app, base)
    assert isinstance(failed.exception, UsageError)
    assert "--tokenizer" in str(failed.exception)
    shown = CliRunner().invoke(app, [*base, "--tokenizer", str(tmp_path / "small500.json")])
    assert shown.exit_code == 0, shown.output
    assert {row["corpus"] for row in read_table(home, "infini_gram_counts").to_pylist()} == {"far"}
