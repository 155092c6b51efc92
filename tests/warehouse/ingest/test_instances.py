"""Training instances of memmap files: which are read, and their languages."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.corpora.files import rows, write_jsonl, write_tokenizer
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus
from warehouse.ingest.readers.instances import choose_instances, parse_range
from warehouse.text.languages import instance_languages
from warehouse.text.tokenizing import Encoder

L = 2048
TEXTS = {
    "en": " The water of the river is cold and the house is old, so nobody lives there now.",
    "fr": " La maison est vieille et l'eau de la rivière est froide, personne n'y habite plus.",
    "zh": "河里的水很冷，房子也很旧，没有人住在那里，中国人说中文。",
}


def write_instances(path: Path, first: int, n: int, *, extra: int = 0, dtype: str = "<u2") -> Path:
    """Write instances whose only document is a run of one token, 300 + its global number; 0 is the separator."""
    tokens = np.repeat(np.arange(300 + first, 300 + first + n), L)
    tokens[::L] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    np.append(tokens, np.full(extra, 299)).astype(dtype).tofile(path)
    return path


def ingest(home: Home, paths: list[Path], tokenizer: Path, **options: object) -> IngestSummary:
    chosen = IngestOptions(max_reject_share=1, lang="en", **options)  # type: ignore[arg-type]
    return ingest_corpus(home, paths, corpus="c", tokenizer=str(tokenizer), options=chosen)


def test_chosen_instances_are_read_in_the_order_of_the_files_given(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    """The rest of a file after its last whole instance has no number; names do not order files, arguments do."""
    paths = [
        write_instances(tmp_path / "z.npy", 0, 5, extra=2000),
        write_instances(tmp_path / "a.npy", 5, 4, extra=1),
        write_instances(tmp_path / "m.npy", 9, 3),
        write_instances(tmp_path / "b.npy", 12, 2),
    ]
    chosen = [8, 0, 13, 4, 8, 5, 2]  # 8 twice
    np.array([99, *chosen, 98], "<u4").tofile(tmp_path / "global_indices.npy")
    summary = ingest(
        home, paths, tokenizer, global_indices=tmp_path / "global_indices.npy", index_range=(1, 1 + len(chosen))
    )
    found = rows(home, "select token_ids[1] - 300, n_tokens, source_file, line_number from raw.documents order by 1")
    first = {"z.npy": 0, "a.npy": 5, "m.npy": 9, "b.npy": 12}
    assert [number for number, *_ in found] == sorted(set(chosen))
    assert [(n, first[name] + line - 1) for _, n, name, line in found] == [(L - 1, i) for i in sorted(set(chosen))]
    assert summary.not_chosen == ["m.npy"]
    assert summary.same_bytes == []
    again = ingest(
        home, paths, tokenizer, global_indices=tmp_path / "global_indices.npy", index_range=(1, 1 + len(chosen))
    )
    assert again.n_new_files == 0
    with pytest.raises(UsageError, match=r"read with other options .*--global-indices"):
        ingest(home, paths, tokenizer)


def test_rows_of_chosen_instances_are_those_of_the_whole_file(tokenizer: Path, tmp_path: Path) -> None:
    path = write_instances(tmp_path / "z.npy", 0, 20)
    np.save(tmp_path / "indices.npy", np.array([3, 17, 4]))  # with NumPy's header, int64
    query = "select doc_id, source_id, line_number, token_ids, lang from raw.documents {} order by 1"
    whole, some = Home(tmp_path / "whole"), Home(tmp_path / "some")
    ingest(whole, [path], tokenizer)
    ingest(some, [path], tokenizer, global_indices=tmp_path / "indices.npy")
    expected = rows(whole, query.format("where line_number in (4, 5, 18)"))
    assert len(expected) == 3
    assert rows(some, query.format("")) == expected


@given(data=st.data(), sizes=st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_numbers_run_through_the_files(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("indices")
    paths = [folder / f"{i}.npy" for i in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(b"\0" * (2 * L * size + 17))
    everything = [(file, i) for file, size in enumerate(sizes) for i in range(size)]
    numbers = data.draw(st.lists(st.integers(0, sum(sizes)), min_size=1, max_size=12))
    np.array(numbers, "<u4").tofile(folder / "g")
    if max(numbers) == sum(sizes):
        with pytest.raises(UsageError, match=f"instance {sum(sizes)} is not among the {sum(sizes)} "):
            choose_instances(folder / "g", None, paths, vocab_size=500)
        return
    chosen = choose_instances(folder / "g", None, paths, vocab_size=500)
    found = [(file, i) for file, instances in enumerate(chosen) for i in instances.tolist()]
    assert found == sorted({everything[number] for number in numbers})


def test_mistakes_are_found_before_work(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_instances(tmp_path / "z.npy", 0, 2)
    text = write_jsonl(tmp_path / "t.jsonl", [{"id": "1", "text": "water"}])
    good = tmp_path / "good"
    np.array([0, 1], "<u4").tofile(good)
    np.save(tmp_path / "floats.npy", np.zeros(3))
    (tmp_path / "odd").write_bytes(b"\0" * 7)
    (tmp_path / "empty").touch()
    for message, paths, options in (
        ("no such file", [path], {"global_indices": tmp_path / "absent"}),
        ("holds float64", [path], {"global_indices": tmp_path / "floats.npy"}),
        ("7 bytes are no uint32 array", [path], {"global_indices": tmp_path / "odd"}),
        ("names no instance", [path], {"global_indices": tmp_path / "empty"}),
        ("has 2 elements", [path], {"global_indices": good, "index_range": (1, 3)}),
        ("memmap files, not dolma", [path, text], {"global_indices": good}),
        ("needs --global-indices", [path], {"index_range": (0, 1)}),
    ):
        with pytest.raises(UsageError, match=message):
            ingest(home, paths, tokenizer, **options)
    for text_range in ("", "3", "2:2", "5:1", "-1:4", "a:b"):
        with pytest.raises(UsageError, match="write START:END"):
            parse_range(text_range)
    assert parse_range("10:20") == (10, 20)
    assert rows(home, "select count(*) from raw.source_files") == [(0,)]


def test_uint32_ids_of_a_large_vocabulary(home: Home, tmp_path: Path) -> None:
    """More than 65,535 tokens: ids have four bytes."""
    large = json.loads(write_tokenizer(tmp_path).read_text())
    large["model"]["vocab"] |= {f"q{i}": i for i in range(500, 66_000)}
    (tmp_path / "large.json").write_text(json.dumps(large))
    tokens = np.full((2, L), 65_999)
    tokens[:, 100], tokens[1, 50:60] = 1, 300
    tokens.astype("<u4").tofile(tmp_path / "part.npy")
    with pytest.raises(UsageError, match=r"holds no separator 0 in a sample of 4,096 tokens, but"):
        ingest(home, [tmp_path / "part.npy"], tmp_path / "large.json", eos_token_id=0)
    ingest(home, [tmp_path / "part.npy"], tmp_path / "large.json", eos_token_id=1)
    query = "select line_number, n_tokens, list_sort(list_distinct(token_ids)) from raw.documents order by all"
    assert rows(home, query) == [
        (1, 100, [65_999]),
        (1, 1947, [65_999]),
        (2, 100, [300, 65_999]),
        (2, 1947, [65_999]),
    ]


def test_separators_of_olmo_are_named_when_another_is_asked_for(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    tokens = np.full(2 * L, 300, "<u2")
    tokens[::100] = 50279
    tokens.tofile(tmp_path / "part.npy")
    with pytest.raises(UsageError, match=r"holds no separator 0 .*but 50279 41 times: pass --eos-token-id"):
        ingest(home, [tmp_path / "part.npy"], tokenizer)


def test_an_instance_has_a_language_and_a_share_of_others(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    encoder = Encoder(tokenizer.read_bytes(), "tokenizers")
    made = [[("en", 1200), ("fr", 847)], [("zh", 2047)], [("fr", 1000), ("en", 600), ("zh", 445)], [("digits", 2047)]]
    instances = []
    for parts in made:
        pieces = []
        for lang, n in parts:
            text = TEXTS[lang] * 60 if lang != "digits" else "1 2 3 " * 800
            ids = encoder.encode([text.encode()]).token_ids
            pieces.append(np.append(np.resize(ids, n), 0))
        instances.append(np.resize(np.concatenate(pieces), L))
    np.concatenate(instances).astype("<u2").tofile(tmp_path / "part.npy")
    ingest_corpus(home, [tmp_path / "part.npy"], corpus="c", tokenizer=str(tokenizer))
    found = rows(
        home,
        "select line_number, instance_lang, round(other_lang_share, 6), list(lang order by n_tokens desc) "
        "from raw.documents group by all order by 1",
    )
    assert found == [
        (1, "en", round(847 / 2047, 6), ["en", "fr"]),
        (2, "zh", 0.0, ["zh"]),
        (3, "fr", round(1045 / 2045, 6), ["fr", "en", "zh"]),
        (4, "und", 0.0, ["und"]),
    ]
    text = write_jsonl(tmp_path / "t.jsonl", [{"id": "1", "text": "water"}])
    ingest_corpus(home, [text], corpus="other", tokenizer=str(tokenizer))
    query = "select instance_lang, other_lang_share from raw.documents where corpus = 'other'"
    assert rows(home, query) == [(None, None)]


def test_unknown_documents_are_in_no_other_language() -> None:
    documents = [(1, "und", 70), (1, "ja", 10), (1, "en", 20), (2, "fr", 5), (2, "de", 5)]
    assert instance_languages(documents) == {1: ("en", 0.1), 2: ("de", 0.5)}
