"""Parallel sentences: TSV and FLORES layouts, chosen languages, fair samples, and what is refused."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.places import SHARED_DATA
from warehouse.base.errors import UsageError
from warehouse.experiments.sentence_set import _chosen, read_parallel, sentence_rows

SHARED = SHARED_DATA / "corpora" / "pud" / "pud_parallel.tsv"


def tsv(folder: Path, *lines: str) -> Path:
    path = folder / "sentences.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def flores(folder: Path, **languages: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in languages.items():
        (folder / f"{name}.devtest").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_tsv_has_a_column_per_language_and_quotes_mean_nothing(tmp_path: Path) -> None:
    columns = read_parallel(tsv(tmp_path, "sent_id\ten\tzh", 'n1\tA "cat.\t"猫。', "n2\tB\u2028c\t乙"))
    assert columns == {"en": ['A "cat.', "B\u2028c"], "zh": ['"猫。', "乙"]}


def test_flores_files_are_columns_and_lines_belong_together(tmp_path: Path) -> None:
    folder = flores(tmp_path / "devtest", eng_Latn=["One.", "Two."], fra_Latn=["Un.", "Deux."])
    texts = _chosen(folder, read_parallel(folder), ())
    assert texts == {"en": ["One.", "Two."], "fr": ["Un.", "Deux."]}


def test_two_scripts_of_a_language_keep_their_names_unless_one_is_chosen(tmp_path: Path) -> None:
    folder = flores(tmp_path / "dev", eng_Latn=["a", "b"], zho_Hans=["甲", "乙"], zho_Hant=["甲", "乙"])
    columns = read_parallel(folder)
    assert set(_chosen(folder, columns, ())) == {"en", "zho_Hans", "zho_Hant"}
    assert set(_chosen(folder, columns, ("en", "zho_Hant"))) == {"en", "zh"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("en\tfr", "a\tb\tc"), r":2: 3 columns, the header has 2"),
        (("en\ten", "a\tb"), r":1: a column name occurs twice"),
        (("en\tfr",), "holds no sentences"),
    ],
)
def test_lines_that_do_not_fit_are_refused_with_their_place(
    lines: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        read_parallel(tsv(tmp_path, *lines))


def test_what_is_no_set_of_parallel_files_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give a TSV"):
        read_parallel(tmp_path / "none.tsv")
    flores(tmp_path / "set" / "dev", eng_Latn=["a", "b"])
    with pytest.raises(UsageError, match="give one of its folders: dev"):
        read_parallel(tmp_path / "set")
    flores(tmp_path / "set" / "dev", fra_Latn=["a"])
    with pytest.raises(UsageError, match="holds no sentences"):
        read_parallel(tmp_path / "set" / "dev")
    flores(tmp_path / "set" / "dev", fra_Latn=["a", "b", "c"])
    with pytest.raises(UsageError, match="eng_Latn has 2 lines and fra_Latn 3"):
        read_parallel(tmp_path / "set" / "dev")
    with pytest.raises(UsageError, match="no language de"):
        _chosen(tmp_path, {"en": ["a"], "fr": ["b"]}, ("en", "de"))
    with pytest.raises(UsageError, match="needs two languages"):
        _chosen(tmp_path, {"en": ["a"], "fr": ["b"]}, ("en",))


@given(
    st.lists(st.tuples(*[st.sampled_from(["", " ", "a", "b", "é", "e\u0301", "c d"])] * 3), max_size=8), st.randoms()
)
def test_rows_are_the_distinct_sentences_whatever_their_order(cells: list[tuple[str, ...]], random: Random) -> None:
    def rows(lines: list[tuple[str, ...]]) -> list[dict[str, object]]:
        columns = {lang: [line[place] for line in lines] for place, lang in enumerate(("en", "fr", "ja"))}
        return sentence_rows(columns, n_sentences=2).to_pylist()

    once = rows(cells)
    shuffled = list(cells)
    random.shuffle(shuffled)
    assert rows(shuffled) == once
    texts: dict[int, dict[str, str]] = {}
    for row in once:
        texts.setdefault(row["sentence_id"], {})[row["lang"]] = row["text"]  # type: ignore[index]
    clean = [{lang: cell.strip().replace("e\u0301", "é") for lang, cell in zip(("en", "fr", "ja"), line, strict=True)}
             for line in cells]  # fmt: skip
    expected = [{lang: text for lang, text in line.items() if text} for line in clean]
    assert sorted(map(str, texts.values())) == sorted({str(line) for line in expected if len(line) >= 2})
    scored = {row["sentence_id"] for row in once if row["is_scored"]}
    assert scored == set(sorted(texts)[:2]), "a sample is a prefix in the order of the hashes"


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the real sentences are not beside this checkout")
def test_the_real_parallel_treebanks_are_read() -> None:
    columns = read_parallel(SHARED)
    assert len(columns["en"]) == len(columns["ja"]) >= 1000
    assert set(_chosen(SHARED, columns, ("en", "fr", "zh", "ja"))) == {"en", "fr", "zh", "ja"}
