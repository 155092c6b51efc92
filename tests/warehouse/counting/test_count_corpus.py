"""Counts of whole corpora against counting by hand, and what must hold whatever the order and the sharding."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from support.corpora.counted import random_corpus, write_corpus
from support.naive import counting as counting_naive
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.lake.files import read_table
from warehouse.lake.schemas import COUNTED, SCHEMAS

# low enough that both rules keep many edges of a small corpus
OPTIONS = {"min_rate_difference": 0.05, "rate_min_token_docs": 2, "min_z": 0.5, "z_min_pair_docs": 2}


def table(home: Home, name: str) -> list[dict]:
    return read_table(home, name).to_pylist()


def keyed(rows: list[dict], keys: list[str], values: list[str]) -> dict:
    found = {tuple(r[k] for k in keys): tuple(r[v] for v in values) for r in rows}
    assert len(found) == len(rows), "the grain is not unique"
    return found


def check(home: Home, made, options: CountOptions) -> None:
    """Hold every counted table of corpus `c` to the naive count."""
    naive = counting_naive.count(
        made, window=options.unit_tokens, max_docs=options.max_docs_per_word, seed=options.seed
    )
    n_units, n_x, n_w = len(naive["units"]), naive["n_x"], naive["n_w"]
    (counts,) = table(home, "counts")
    assert counts["n_units"] == n_units
    assert counts["n_tokens"] == sum(len(d.tokens) for d in made.docs())
    assert counts["unit"] == options.unit_name
    assert json.loads(counts["options"]) == options.as_dict()
    stratum = ["lang", "length_bin"]
    for name, keys in (
        ("strata", stratum),
        ("token_documents", [*stratum, "token_id"]),
        ("word_strata", [*stratum, "word_id"]),
        ("word_pairs", ["word_id_a", "word_id_b"]),
    ):
        found = keyed(table(home, name), keys, ["n_docs"])
        assert found == {k: (n,) for k, n in naive[name].items()}, name
    measures = ["n_docs", "expected_n_docs", "variance"]

    found = keyed(table(home, "word_tokens"), ["word_id", "token_id"], measures)
    kept = {
        (w, x): cell
        for (w, x), cell in naive["word_tokens"].items()
        if cell[0] * n_units > n_x[x] * n_w[w] or cell[0] > cell[1] * (1 + 1e-12)
    }
    same_cells(found, kept)

    def passes(x: int, y: int, n: int, mean: float, variance: float) -> bool:
        enough = min(n_x[x], n_x[y]) >= options.rate_min_token_docs
        rate = min(n / n_x[x] - n_x[y] / n_units, n / n_x[y] - n_x[x] / n_units)
        z = (n - mean) / (variance + 1) ** 0.5
        by_z = n >= options.z_min_pair_docs and min(n_x[x], n_x[y]) >= options.z_min_token_docs
        return (enough and rate >= options.min_rate_difference) or (by_z and z >= options.min_z)

    found = keyed(table(home, "token_pairs"), ["token_id_a", "token_id_b"], measures)
    same_cells(found, {k: cell for k, cell in naive["token_pairs"].items() if passes(*k, *cell)})
    for name in COUNTED:
        rows = table(home, name)
        keys = [c for c in SCHEMAS[name].names if c.endswith("_id") or "_id_" in c or c in stratum]
        assert rows == sorted(rows, key=lambda r, keys=keys: [r[k] for k in keys]), f"{name} is not sorted"


def same_cells(found: dict, wanted: dict) -> None:
    assert found.keys() == wanted.keys()
    assert {k: v[0] for k, v in found.items()} == {k: v[0] for k, v in wanted.items()}
    ours = np.array([found[k][1:] for k in wanted]).reshape(-1, 2)
    np.testing.assert_allclose(ours, np.array([wanted[k][1:] for k in wanted]).reshape(-1, 2), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("window", "max_docs", "seed"), list(product([0, 7], [None, 3], [0, 1])))
def test_every_table_equals_the_count_by_hand(tmp_path: Path, window: int, max_docs: int | None, seed: int) -> None:
    made = random_corpus(seed)
    home = Home(tmp_path)
    write_corpus(home, made)
    options = CountOptions(
        unit="window" if window else "document",
        window_tokens=window or 2048,
        max_docs_per_word=max_docs,
        seed=seed,
        z_min_token_docs=3,
        **OPTIONS,
    )
    count_corpus(home, "c", options)
    check(home, made, options)
