"""Distractors that are drawn by rule, against the rule in Python on random words."""

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from support.homes.raw_home import build, query, write_raw
from warehouse.base.settings import Home

pytestmark = pytest.mark.slow
LANGUAGES = ("de", "en", "fr")
N_ITEMS, REACH, N_DRAWN = 80, 6, 4


def md5(value: object) -> str:
    return hashlib.md5(str(value).encode()).hexdigest()


def nearest(
    words: dict[int, tuple[str, str]], units: dict[int, int], directions: list[tuple[int, str, str, int, int]]
) -> dict[tuple[int, str, str], list[str]]:
    """Return the drawn distractors of every direction: (item, languages) -> words in their order."""

    def band(word_id: int) -> int:
        return (units.get(word_id, 0) + 1).bit_length() - 1

    right = {(source_id, target_id) for *_, source_id, target_id in directions}
    drawn = {}
    for item, source, target, own, wanted in directions:
        order = sorted(
            (w for w in words if words[w][0] == source), key=lambda w: (band(w), len(words[w][1]), md5(w), w)
        )
        place = order.index(own)
        beside = [*order[max(place - REACH, 0) : place], *order[place + 1 : place + 1 + REACH]]
        wrong = [w for w in beside if (w, wanted) not in right and words[w][1].lower() != words[own][1].lower()]
        spellings: dict[str, int] = {}
        for w in sorted(wrong):
            spellings.setdefault(words[w][1].lower(), w)
        ranked = sorted(
            spellings.values(),
            key=lambda w: (
                abs(band(w) - band(own)),
                abs(len(words[w][1]) - len(words[own][1])),
                md5(f"{item}:{w}"),
                w,
            ),
        )
        if ranked:
            drawn[item, source, target] = [words[w][1] for w in ranked[:N_DRAWN]]
    return drawn


def random_list(draw: random.Random) -> tuple[dict[int, tuple[str, str]], list[dict[str, Any]]]:
    """Return words by id and items; some words are shared by items, some differ in case only."""
    words: dict[int, tuple[str, str]] = {}
    items = []
    for item in range(N_ITEMS):
        for number, lang in enumerate(LANGUAGES):
            if draw.random() < 0.1:
                continue
            word_id = 1000 * number + (draw.randrange(N_ITEMS) if draw.random() < 0.15 else item)
            letters = "".join(draw.choice("abñé") for _ in range(draw.randrange(1, 4)))
            words.setdefault(word_id, (lang, letters.upper() if draw.random() < 0.2 else letters))
            items.append({"item_id": item, "lang": lang, "word_id": word_id})
    return words, items


def rows_of(words: dict[int, tuple[str, str]]) -> Iterable[dict[str, Any]]:
    return ({"word_id": w, "lang": lang, "word": word} for w, (lang, word) in sorted(words.items()))


def test_drawn_distractors_follow_the_rule(new_home: Callable[[str], Home]) -> None:
    home, draw = new_home("distractors"), random.Random(11)
    words, items = random_list(draw)
    units = {w: draw.choice((1, 1, 3, 7, 8, 100, 2**20)) for w in words if draw.random() < 0.8}
    listed = {(item, "en", "fr") for item in range(0, N_ITEMS, 3)}
    write_raw(home, "words", rows_of(words))
    write_raw(home, "translation_items", items)
    rows = [{"candidate": n, "word": w} for n, w in enumerate(("x", "y"), start=1)]
    write_raw(
        home,
        "distractors",
        [{"item_id": i, "source_lang": s, "target_lang": t, **row} for i, s, t in sorted(listed) for row in rows],
    )
    for corpus in ("counted", "uncounted"):
        write_raw(home, "corpora", [{"corpus": corpus, "tokenizer_hash": "t", "vocab_size": 1}], corpus=corpus)
    write_raw(home, "counts", [{"corpus": "counted", "count_id": "hand-made", "n_units": 9}], corpus="counted")
    strata = [{"corpus": "counted", "word_id": w, "lang": "en", "n_docs": n} for w, n in units.items()]
    write_raw(home, "word_strata", strata, corpus="counted")
    build(home, "+fct_distractors", n_distractors=N_DRAWN, distractor_reach=REACH)

    by_item: dict[int, dict[str, int]] = {}
    for row in items:
        by_item.setdefault(row["item_id"], {})[row["lang"]] = row["word_id"]
    directions = [
        (item, s, t, langs[s], langs[t]) for item, langs in by_item.items() for s in langs for t in langs if s != t
    ]
    here = {(i, s, t) for i, s, t, *_ in directions}
    for corpus, frequency in (("counted", units), ("uncounted", {})):
        expected = nearest(words, frequency, list(directions))
        expected = {k: v for k, v in expected.items() if k not in listed} | {k: ["x", "y"] for k in listed & here}
        found: dict[tuple[int, str, str], list[str]] = {}
        for row in query(home, f"from marts.fct_distractors where corpus = '{corpus}' order by item_id, candidate"):
            found.setdefault((row["item_id"], row["source_lang"], row["target_lang"]), []).append(row["word"])
            is_listed = (row["item_id"], row["source_lang"], row["target_lang"]) in listed
            assert row["distractor_rule"] == ("list" if is_listed else "nearest 4 by frequency and length")
        assert found == expected
