import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from warehouse.contract.hashing import id64, short_hash
from warehouse.lake.identity import doc_id, item_id, word_id

words = st.dictionaries(st.text(min_size=2, max_size=3), st.text(min_size=1), min_size=2, max_size=5)


@given(words)
def test_item_id_does_not_depend_on_the_order_of_languages(item: dict[str, str]) -> None:
    assert item_id(item) == item_id(dict(reversed(item.items())))


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_ids_fit_a_signed_bigint(parts: list[str]) -> None:
    assert 0 <= id64(*parts) < 2**63


def test_parts_do_not_run_together() -> None:
    assert id64("ab", "c") != id64("a", "bc")
    assert doc_id("c", "s", "x") != doc_id("c", "", "sx")


def test_composed_and_decomposed_words_are_one_word() -> None:
    assert word_id("fr", "été") == word_id("fr", unicodedata.normalize("NFD", "été"))
    assert word_id("fr", "table") != word_id("en", "table")


def test_lone_surrogates_have_an_identity_too() -> None:
    assert id64("\ud800") != id64("\ud801")


def test_short_hash_ignores_the_order_of_keys() -> None:
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1})
    assert short_hash({"a": 1}) != short_hash({"a": 2})
