"""Held-out losses: sums by language equal a plain computation, whatever the windows and batches."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import ml.held_out
from ml.models.load import find_model, load_model
from ml.training.sequences import open_export
from support.ml_runs.inputs import LANGUAGES, make_config, make_export, tokenizer_with_bos_json
from warehouse.contract.errors import UsageError
from warehouse.contract.result_schemas import RESULT

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_export(tmp_path_factory.mktemp("held-out") / "export", strategy="held_out", languages=LANGUAGES)


def run(folder: Path, export: Path, **given: object) -> dict[str, dict[str, float]]:
    model = given.pop("model", None) or make_config(folder / "model")
    options = {"--export": export, "--model": model, "--run-id": "h1", "--out": folder / "out"} | given
    ml.held_out.main([str(part) for pair in options.items() for part in pair])
    table = pq.read_table(folder / "out" / "results" / "held_out_losses.parquet")
    assert table.schema.equals(RESULT["held_out_losses"])
    return {row["lang"]: row for row in table.to_pylist()}


def test_sums_equal_a_document_by_document_computation(held_out: Path, tmp_path: Path) -> None:
    rows = run(tmp_path, held_out)
    model = load_model(find_model(str(tmp_path / "model" / "olmo.json")), seed=0, dtype="float32", device=CPU)
    assert list(rows) == sorted(LANGUAGES)
    expected = dict.fromkeys(LANGUAGES, 0.0)
    n_tokens, n_docs, n_bytes = (dict.fromkeys(LANGUAGES, 0) for _ in range(3))
    for shard in ("part-00000", "part-00001"):
        tokens = np.fromfile(held_out / f"{shard}.npy", "<u2").astype(np.int64)
        for row in pq.read_table(held_out / f"{shard}.documents.parquet").to_pylist():
            ids = torch.from_numpy(tokens[row["start"] : row["end"]])[None]
            with torch.inference_mode():
                mean = float(model(input_ids=ids, labels=ids, use_cache=False).loss)
            expected[row["lang"]] += mean * (ids.shape[1] - 1)
            n_tokens[row["lang"]] += ids.shape[1] - 1
            n_docs[row["lang"]] += 1
            n_bytes[row["lang"]] += row["n_bytes"]
    for lang, row in rows.items():
        assert row["nll_sum"] == pytest.approx(expected[lang], rel=1e-5)
        assert (row["n_tokens"], row["n_docs"], row["n_bytes"]) == (n_tokens[lang], n_docs[lang], n_bytes[lang])


def test_a_document_begins_as_the_model_was_trained_to(tmp_path: Path) -> None:
    """With a BOS in the tokenizer's template every document and window is read behind it, and it predicts nothing."""
    export = make_export(tmp_path / "export", strategy="held_out", languages=LANGUAGES)
    (export / "tokenizer.json").write_text(tokenizer_with_bos_json())
    short = make_config(tmp_path / "model", max_position_embeddings=8)
    shutil.copyfile(export / "tokenizer.json", short.parent / "tokenizer.json")
    rows = run(tmp_path, export, model=short)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    (bos,) = record["leading_special_ids"]
    assert record["identity"]["leading_special_ids"] == [bos]
    assert record["identity"]["window_tokens"] == 7  # and BOS
    model = load_model(find_model(str(short)), seed=0, dtype="float32", device=CPU)
    expected, n_tokens = dict.fromkeys(LANGUAGES, 0.0), dict.fromkeys(LANGUAGES, 0)
    for shard in ("part-00000", "part-00001"):
        tokens = np.fromfile(export / f"{shard}.npy", "<u2").astype(np.int64)
        for row in pq.read_table(export / f"{shard}.documents.parquet").to_pylist():
            document = tokens[row["start"] : row["end"]]
            for begin in range(0, len(document) - 1, 6):
                ids = torch.from_numpy(np.array([bos, *document[begin : begin + 7]]))[None]
                with torch.inference_mode():
                    log_probs = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
                targets = ids[0, 2:]
                expected[row["lang"]] -= float(log_probs[1:-1].gather(1, targets[:, None]).sum())
                n_tokens[row["lang"]] += len(targets)
    for lang, row in rows.items():
        assert row["nll_sum"] == pytest.approx(expected[lang], rel=1e-5)
        assert row["n_tokens"] == n_tokens[lang]
    without = run(tmp_path / "without", make_export(tmp_path / "e2", strategy="held_out", languages=LANGUAGES))
    assert {lang: row["n_tokens"] for lang, row in without.items()} == n_tokens


def test_small_batches_give_the_same_sums(held_out: Path, tmp_path: Path) -> None:
    one, other = run(tmp_path / "a", held_out), run(tmp_path / "b", held_out, **{"--batch-tokens": 1})
    assert {lang: row["nll_sum"] for lang, row in one.items()} == pytest.approx(
        {lang: row["nll_sum"] for lang, row in other.items()}, rel=1e-5
    )


def test_windows_predict_each_token_but_a_documents_first_once(held_out: Path) -> None:
    export = open_export(held_out)
    predicted = [
        (window.shard, place)
        for window in ml.held_out.cut_windows(ml.held_out.chosen_documents(export, None), 5)
        for place in range(window.start + 1, window.end)
    ]
    expected = [
        (shard, place)
        for shard, name in enumerate(("part-00000", "part-00001"))
        for row in pq.read_table(held_out / f"{name}.documents.parquet").to_pylist()
        for place in range(row["start"] + 1, row["end"])
    ]
    assert sorted(predicted) == expected
    assert (
        max(window.n_tokens for window in ml.held_out.cut_windows(ml.held_out.chosen_documents(export, None), 5)) == 5
    )


@pytest.mark.parametrize("limit", [1, 60, 200, 430, 10**6])
def test_a_limit_is_shared_by_the_languages(held_out: Path, tmp_path: Path, limit: int) -> None:
    export = open_export(held_out)
    every = ml.held_out.chosen_documents(export, None).to_pylist()
    lengths = {lang: [r["end"] - r["start"] for r in every if r["lang"] == lang] for lang in LANGUAGES}
    chosen = ml.held_out.chosen_documents(export, limit).to_pylist()
    share = dict.fromkeys(LANGUAGES, 0)
    for _ in range(min(limit, sum(map(sum, lengths.values())))):  # one token after another, to who has least
        needy = [lang for lang in LANGUAGES if share[lang] < sum(lengths[lang])]
        share[min(needy, key=lambda lang: (share[lang], -sum(lengths[lang]), lang))] += 1
    for lang, sizes in lengths.items():
        taken = [r["end"] - r["start"] for r in chosen if r["lang"] == lang]
        assert taken == sizes[: len(taken)]
        assert len(taken) == 1 or sum(taken) <= share[lang] + 1
        assert len(taken) == len(sizes) or sum(sizes[: len(taken) + 1]) > share[lang] - 1
    if limit == 200:
        rows = run(tmp_path, held_out, **{"--limit-tokens": limit})
        assert {lang: row["n_docs"] for lang, row in rows.items()} == {
            lang: sum(r["lang"] == lang for r in chosen) for lang in LANGUAGES
        }
        assert sum(row["n_bytes"] for row in rows.values()) == sum(r["n_bytes"] for r in chosen)
        assert json.loads((tmp_path / "out" / "run.json").read_text())["identity"]["limit_tokens"] == limit


def test_long_documents_are_read_within_the_models_context(held_out: Path, tmp_path: Path) -> None:
    short = make_config(tmp_path / "short", max_position_embeddings=8)
    whole = run(tmp_path / "a", held_out)
    cut = run(tmp_path / "b", held_out, model=short)
    assert {lang: row["n_tokens"] for lang, row in cut.items()} == {
        lang: row["n_tokens"] for lang, row in whole.items()
    }


def test_tokens_that_the_model_does_not_know_are_refused(held_out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the model knows only 100 tokens"):
        run(tmp_path, held_out, model=make_config(tmp_path / "small", vocab_size=100))
