"""The compiled SQL of single models on generated rows: what must hold for any input."""

import math
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.homes.evaluation_home import Evaluated, close
from support.naive import evaluation as naive
from warehouse.lake.schemas import RECORDED, RESULT

# the fixtures are read only, so that sharing them between examples is safe
on_many_rows = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Model = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def model(evaluated: Evaluated) -> Model:
    """Return a function that runs one model's compiled SQL on rows given for its inputs (schema_table=rows)."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("attach ':memory:' as warehouse")
    for schema in ("staging", "intermediate", "marts"):
        connection.execute(f"create schema warehouse.{schema}")

    def run(name: str, **inputs: pa.Table) -> list[dict[str, Any]]:
        for table, rows in inputs.items():
            connection.register("given_rows", rows)
            schema = {"stg": "staging", "int": "intermediate"}.get(table.split("_")[0], "marts")
            connection.execute(f"create or replace table warehouse.{schema}.{table} as from given_rows")
        [compiled] = [f for f in (evaluated.home.dbt_target / "compiled").rglob(f"{name}.sql") if ".yml" not in str(f)]
        return connection.execute(compiled.read_text()).to_arrow_table().to_pylist()

    return run


LABELS = pa.schema(
    [
        ("run_id", pa.string()),
        ("item_id", pa.int64()),
        ("source_lang", pa.string()),
        ("target_lang", pa.string()),
        ("definition", pa.string()),
        ("threshold", pa.float64()),
        ("behaviour", pa.string()),
        ("predictor", pa.int64()),
    ]
)
labels = st.lists(
    st.tuples(
        st.sampled_from(["fr", "zh"]),
        st.sampled_from(["cooccurrence", "pivot", "excluded"]),
        st.none() | st.integers(0, 6),
    ),
    max_size=40,
)


@on_many_rows
@given(labels=labels)
def test_auc_equals_counting_couples(model: Model, labels: list[tuple[str, str, int | None]]) -> None:
    rows = [
        {
            "run_id": "r",
            "item_id": n,
            "source_lang": "en",
            "target_lang": lang,
            "definition": "peak",
            "behaviour": b,
            "predictor": p,
        }
        for n, (lang, b, p) in enumerate(labels)
    ]
    labelled = pa.Table.from_pylist(rows, schema=LABELS)
    measured = model("int_behaviour_aucs__measured", int_behaviours__labelled=labelled)
    found = {row["target_lang"]: row for row in measured}
    assert set(found) == {lang for lang, _, _ in labels} | ({"all"} if labels else set())
    for lang in set(found) - {"all"}:
        positives = [p for one, b, p in labels if one == lang and b == "cooccurrence" and p is not None]
        negatives = [p for one, b, p in labels if one == lang and b == "pivot" and p is not None]
        auc, error = naive.auc_and_error(positives, negatives)
        assert (found[lang]["auc"], found[lang]["standard_error"]) == (close(auc), close(error))
        assert (found[lang]["n_cooccurrence"], found[lang]["n_pivot"]) == (len(positives), len(negatives))


sixty_fourths = st.integers(0, 20 * 64).map(lambda n: n / 64)
likelihoods = st.dictionaries(
    st.integers(0, 9),
    st.lists(sixty_fourths | st.sampled_from([math.nan, math.inf]), min_size=1, max_size=5),
    max_size=10,
)


@on_many_rows
@given(likelihoods=likelihoods)
def test_score_equals_the_formula(model: Model, likelihoods: dict[int, list[float]]) -> None:
    word = {"run_id": "r", "item_id": 1, "source_lang": "en", "target_lang": "fr"}
    rows = [
        {**word, "candidate": candidate, "draw": draw, "nll_mean": nll, "nll_mean_without_space": nll / 2}
        for candidate, nlls in likelihoods.items()
        for draw, nll in enumerate(nlls)
    ]
    averaged = model(
        "int_candidates__averaged", stg_word_scores=pa.Table.from_pylist(rows, schema=RESULT["word_scores"])
    )
    candidates = pa.Table.from_pylist(
        averaged,
        schema=pa.schema(
            [
                *((name, RESULT["word_scores"].field(name).type) for name in (*word, "candidate")),
                ("n_draws", pa.int64()),
                ("n_target_tokens", pa.int32()),
                *((name, pa.float64()) for name in ("nll", "nll_without_space", "p", "p_without_space")),
            ]
        ),
    )
    found = model(
        "int_items__scored",
        int_candidates__averaged=candidates,
        stg_runs=pa.Table.from_pylist([{"run_id": "r"}], schema=RECORDED["runs"]),
        stg_translation_items=pa.table(
            {
                "item_id": pa.array([], pa.int64()),
                "lang": pa.array([], pa.string()),
                "word_id": pa.array([], pa.int64()),
                "word_split": pa.array([], pa.string()),
            }
        ),
        stg_words=pa.table({"word_id": pa.array([], pa.int64()), "word": pa.array([], pa.string())}),
    )
    expected = naive.item_scores(rows).get("r", {}).get(naive.Key(1, "en", "fr"))
    if expected is None:
        assert [row["score"] for row in found] in ([], [None])
    else:
        assert found[0]["score"] == close(expected["score"])
        assert -1 <= found[0]["score"] <= 1
        assert found[0]["right_rank"] == expected["rank"]


layers = st.lists(
    st.tuples(st.sampled_from([0.05, 0.1, 0.3, 0.3, 0.9]), st.integers(1, 4), st.integers(0, 8), st.booleans()),
    min_size=1,
    max_size=6,
    unique_by=lambda layer: layer[2],
)


@on_many_rows
@given(layers=layers, shares_token=st.booleans())
def test_behaviour_equals_the_definitions(
    model: Model, layers: list[tuple[float, int, int, bool]], shares_token: bool
) -> None:
    rows = [
        {
            "run_id": "r",
            "item_id": 1,
            "source_lang": "en",
            "target_lang": "fr",
            "layer": layer,
            "top_token_id": token,
            "top_token": str(token),
            "p_top": p_top,
            "is_top_source": token == 1,
            "is_top_target": token == 2,
            "is_top_pivot": token == 3,
            "shares_token": shares_token,
            "is_counted": is_counted,
        }
        for p_top, token, layer, is_counted in layers
    ]
    marked = RESULT["layer_traces"].append(pa.field("is_counted", pa.bool_()))
    found = model(
        "int_behaviours__classified",
        int_layer_traces__marked=pa.Table.from_pylist(rows, schema=marked),
        stg_runs=pa.Table.from_pylist([{"run_id": "r"}], schema=RECORDED["runs"]),
    )
    expected = naive.behaviours(rows).get("r", {}).get(naive.Key(1, "en", "fr"))
    if expected is None:
        assert found == []
    else:
        row = found[0]
        assert (row["behaviour"], row["behaviour_by_threshold"]) == (expected["peak"], expected["threshold"])
        assert row["peak_layer"] == expected["peak_layer"]
