"""Layer traces: the lens on every architecture, its gate, token sets, controls, the stored rows."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer

import ml.trace
from ml.common.token_text import is_blank
from ml.models.decoder import final_norm
from ml.models.lens import LayerReader
from ml.models.load import find_model, load_model
from ml.translation.controls import Controls
from ml.translation.eval_set import EvalSet, open_eval_set, read_pivots
from ml.translation.item_words import first_tokens, word_tokens
from ml.translation.prompts import PromptBuilder, PromptTokens, all_prompts, informative_prompt
from support.ml_runs.inputs import ARCHITECTURES, CHANGED_LOGITS, VOCAB_SIZE, make_config, tokenizer_json
from warehouse.contract.errors import StepFailed, UsageError
from warehouse.contract.folders import EVALUATION_SET, ITEMS, TOPICS
from warehouse.contract.result_schemas import RESULT

CPU = torch.device("cpu")
NAMES = {"en": "English", "fr": "French", "ja": "Japanese", "zh": "Chinese"}


@pytest.mark.parametrize(("kind", "changes"), [*((kind, {}) for kind in ARCHITECTURES), *CHANGED_LOGITS])
def test_the_lens_reads_hidden_states_through_norm_and_unembedding_once(
    kind: str, changes: dict[str, object], tmp_path: Path
) -> None:
    """Held to the library's own list of hidden states, whose last entry is normalised already."""
    model = load_model(find_model(str(make_config(tmp_path, kind, **changes))), seed=1, dtype="float32", device=CPU)
    tokens = torch.randint(1, VOCAB_SIZE, (3, 13), generator=torch.Generator().manual_seed(1))
    changed = {
        "gemma2": lambda logits: 0.75 * torch.tanh(logits / 0.75),
        "granite": lambda logits: logits / 4,
        "cohere": lambda logits: logits * 0.25,
    }.get(kind, lambda logits: logits)
    with LayerReader(model) as reader:
        layers = list(reader.read(tokens))
    with torch.inference_mode():
        output = model(input_ids=tokens, output_hidden_states=True, use_cache=False)
        expected = [
            changed(model.get_output_embeddings()(final_norm(model)(hidden[:, -1]))).log_softmax(-1)
            for hidden in output.hidden_states[:-1]
        ] + [output.logits[:, -1].log_softmax(-1)]
    assert len(layers) == len(expected) == model.config.num_hidden_layers + 1
    for own, other in zip(layers, expected, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-4)
    assert all(not torch.allclose(one, other, atol=1e-2) for one, other in pairwise(layers))


def test_the_gate_stops_a_lens_that_is_not_the_models_own(tmp_path: Path) -> None:
    model = load_model(find_model(str(make_config(tmp_path, "olmo2"))), seed=1, dtype="float32", device=CPU)
    with LayerReader(model) as reader:
        reader._norm = torch.nn.Identity()
        with pytest.raises(StepFailed, match="differs from the model's own logits"):
            list(reader.read(torch.tensor([[3, 4, 5]])))


def test_hooks_are_gone_afterwards(tmp_path: Path) -> None:
    model = load_model(find_model(str(make_config(tmp_path))), seed=1, dtype="float32", device=CPU)
    with LayerReader(model):
        pass
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.fixture(scope="module")
def opened(eval_set: Path) -> EvalSet:
    return open_eval_set(eval_set)


def test_prompts_end_before_the_first_informative_target_token(opened: EvalSet, tokenizer: Tokenizer) -> None:
    builder = PromptBuilder(opened, tokenizer, NAMES)
    n_spaced = 0
    for prompt in all_prompts(opened, draws=[0]):
        (tokens,) = builder.tokenize([prompt])
        ids = informative_prompt(tokenizer, tokens)
        whole = tokens.prefix + tokens.suffixes[0]
        assert whole[: len(ids)] == ids
        assert not is_blank(tokenizer, whole[len(ids)])
        passed = whole[len(whole) - tokens.n_targets[0] : len(ids)]
        assert all(is_blank(tokenizer, token) for token in passed)
        n_spaced += bool(passed)
    assert n_spaced


def test_a_target_of_blanks_only_keeps_its_last_token(tokenizer: Tokenizer) -> None:
    space = tokenizer.token_to_id("Ġ")
    assert informative_prompt(tokenizer, PromptTokens([5], [[6, space, space]], [2])) == [5, 6, space]


def test_word_tokens_are_both_forms_without_blanks(tokenizer: Tokenizer) -> None:
    for word in ("water", "水", "maison"):
        both = {*tokenizer.encode(word).ids, *tokenizer.encode(f" {word}").ids}
        assert word_tokens(tokenizer, word) == sorted(t for t in both if not is_blank(tokenizer, t))


def test_controls_are_as_many_pivots_of_others_and_disjoint() -> None:
    pivots = {(item, "en", "fr"): [10 * item + place for place in range(4)] for item in range(1, 8)}
    pivots[9, "en", "fr"] = [10, 11, 12, 13]  # the same as item 1's
    pivots[1, "fr", "en"] = [99, 98, 97, 96]
    controls = Controls(pivots, {})
    chosen = controls.choose((1, "en", "fr"), barred={20, 30})
    assert chosen is not None
    assert len(chosen) == 4
    assert not set(chosen) & {10, 11, 12, 13, 20, 30, 96, 97, 98, 99}
    assert chosen == controls.choose((1, "en", "fr"), barred={30, 20})
    assert controls.choose((1, "fr", "en"), barred=set()) is None


def test_controls_are_of_the_same_topic_where_it_is_known() -> None:
    pivots = {(item, "en", "fr"): [10 * item, 10 * item + 1] for item in range(1, 9)}
    topics = dict.fromkeys((1, 4, 6), "sea") | dict.fromkeys((2, 3, 5), "sky") | {7: "sand"}
    controls = Controls(pivots, topics)
    for item, others in [(1, {4, 6}), (2, {3, 5}), (4, {1, 6})]:
        chosen = controls.choose((item, "en", "fr"), barred=set())
        assert chosen is not None
        assert {token // 10 for token in chosen} <= others
        filled_up = controls.choose((item, "en", "fr"), barred={10 * other for other in others})
        assert filled_up == [10 * other + 1 for other in sorted(others)]
    assert controls.choose((7, "en", "fr"), barred=set()) is None  # the only item of its topic
    assert controls.choose((8, "en", "fr"), barred=set()) is not None  # no topic is known: any item


def request(folder: Path, eval_set: Path, *, kind: str = "olmo", out: str = "out", **given: object) -> list[str]:
    options = {
        "--eval-set": eval_set,
        "--model": make_config(folder / "model", kind),
        "--run-id": "t1",
        "--out": folder / out,
    } | {f"--{name.replace('_', '-')}": value for name, value in given.items()}
    return [str(part) for pair in options.items() for part in pair]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, eval_set: Path) -> Path:
    folder = tmp_path_factory.mktemp("traced")
    ml.trace.main(request(folder, eval_set))
    return folder / "out"


def test_rows_hold_what_a_plain_computation_gives(traced: Path, opened: EvalSet, tokenizer: Tokenizer) -> None:
    table = pq.read_table(traced / "results" / "layer_traces.parquet")
    assert table.schema.equals(RESULT["layer_traces"])
    assert table.num_rows == 2 * 12 * 4
    rows = {(r["item_id"], r["source_lang"], r["target_lang"], r["layer"]): r for r in table.to_pylist()}
    model = load_model(find_model(str(traced.parent / "model" / "olmo.json")), seed=0, dtype="float32", device=CPU)
    builder = PromptBuilder(opened, tokenizer, NAMES)
    pivots = read_pivots(opened)
    for prompt in all_prompts(opened, draws=[0])[::5]:
        (tokens,) = builder.tokenize([prompt])
        ids = torch.tensor([informative_prompt(tokenizer, tokens)])
        with torch.inference_mode():
            output = model(input_ids=ids, output_hidden_states=True, use_cache=False)
            states = [final_norm(model)(hidden) for hidden in output.hidden_states[:-1]] + [output.hidden_states[-1]]
            probs = [model.get_output_embeddings()(state[0, -1]).softmax(-1) for state in states]
        source = word_tokens(tokenizer, prompt.query.source_word)
        target = word_tokens(tokenizer, prompt.query.target_word)
        for layer, p in enumerate(probs):
            row = rows[*prompt.key[:3], layer]
            assert row["p_source"] == pytest.approx(float(p[source].sum()), abs=1e-5)
            assert row["p_target"] == pytest.approx(float(p[target].sum()), abs=1e-5)
            assert row["p_pivot"] == pytest.approx(float(p[pivots[prompt.key[:3]]].sum()), abs=1e-5)
            assert row["entropy"] == pytest.approx(float(torch.special.entr(p).sum()), abs=1e-3)
            assert row["p_top"] == pytest.approx(float(p.max()), abs=1e-5)
            assert row["top_token_id"] == int(p.argmax())
            assert row["is_top_source"] == (int(p.argmax()) in source)
            assert row["is_top_pivot"] == (int(p.argmax()) in pivots[prompt.key[:3]])
            assert row["shares_token"] == bool(set(source) & set(target))
            assert 0 < row["p_control"] < 1


def test_words_of_every_language_are_read_by_their_first_informative_tokens(
    traced: Path, opened: EvalSet, tokenizer: Tokenizer
) -> None:
    table = pq.read_table(traced / "results" / "layer_words.parquet")
    assert table.schema.equals(RESULT["layer_words"])
    rows = {(r["item_id"], r["source_lang"], r["target_lang"], r["layer"], r["lang"]): r for r in table.to_pylist()}
    assert len(rows) == table.num_rows == 2 * 12 * 4 * 4
    traces = {
        (r["item_id"], r["source_lang"], r["target_lang"], r["layer"]): r
        for r in pq.read_table(traced / "results" / "layer_traces.parquet").to_pylist()
    }
    model = load_model(find_model(str(traced.parent / "model" / "olmo.json")), seed=0, dtype="float32", device=CPU)
    builder, pivots = PromptBuilder(opened, tokenizer, NAMES), read_pivots(opened)
    n_shared = 0
    for prompt in all_prompts(opened, draws=[0])[::5]:
        (tokens,) = builder.tokenize([prompt])
        ids = torch.tensor([informative_prompt(tokenizer, tokens)])
        with LayerReader(model) as reader:
            layers = [one[0].exp() for one in reader.read(ids)]
        words = {lang: opened.words[lang][prompt.query.item_id] for lang in NAMES}
        firsts = {}
        for lang, word in words.items():
            forms = [tokenizer.encode(text, add_special_tokens=False).ids for text in (word, f" {word}")]
            firsts[lang] = {next(t for t in form if not is_blank(tokenizer, t)) for form in forms}
            assert first_tokens(tokenizer, word) == sorted(firsts[lang])
        of_words = {token for word in words.values() for token in word_tokens(tokenizer, word)}
        for layer, p in enumerate(layers):
            beyond = [token for token in pivots[prompt.key[:3]] if token not in of_words]
            trace = traces[*prompt.key[:3], layer]
            assert trace["p_pivot_beyond_words"] == pytest.approx(float(p[beyond].sum()), abs=1e-5)
            for lang in NAMES:
                row = rows[*prompt.key[:3], layer, lang]
                assert row["p"] == pytest.approx(float(p[list(firsts[lang])].sum()), abs=1e-5)
                rank = 1 + min(int((p > p[token]).sum()) for token in firsts[lang])
                assert abs(row["word_rank"] - rank) <= 1, "equal but for the last digits"
                others = {prompt.query.source_lang, prompt.query.target_lang} - {lang}
                shared = any(firsts[lang] & firsts[other] for other in others)
                assert row["shares_token"] == shared
                n_shared += shared
    assert n_shared, "Chinese and Japanese have words in common"


def test_a_language_without_the_word_has_no_row(eval_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(eval_set, folder)
    items = [*pq.read_table(folder / ITEMS).to_pylist(), {"item_id": 100, "lang": "xx", "word": "water"}]
    pq.write_table(pa.Table.from_pylist(items, schema=EVALUATION_SET[ITEMS]), folder / ITEMS)
    ml.trace.main(request(tmp_path, folder))
    rows = pq.read_table(tmp_path / "out" / "results" / "layer_words.parquet").to_pylist()
    assert {row["item_id"] for row in rows if row["lang"] == "xx"} == {100}
    for row in rows:
        if row["lang"] == "xx":  # as English has it
            assert row["shares_token"] == ("en" in (row["source_lang"], row["target_lang"]))


def test_pairs_without_pivots_can_be_left_out(traced: Path, eval_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(eval_set, folder)
    pivots = pq.read_table(eval_set / "pivots.parquet")
    pq.write_table(pivots.filter([item != 100 for item in pivots["item_id"].to_pylist()]), folder / "pivots.parquet")
    arguments = request(tmp_path, folder)
    ml.trace.main([*arguments, "--with-pivots-only"])
    kept = pq.read_table(tmp_path / "out" / "results" / "layer_traces.parquet").to_pylist()
    whole = pq.read_table(traced / "results" / "layer_traces.parquet").to_pylist()
    keys = ("item_id", "source_lang", "target_lang", "layer")
    assert [[row[k] for k in keys] for row in kept] == [[r[k] for k in keys] for r in whole if r["item_id"] != 100]
    pq.write_table(pivots.slice(0, 0), folder / "pivots.parquet")
    with pytest.raises(UsageError, match="no pair has pivots"):
        ml.trace.main([*request(tmp_path, folder, out="none"), "--with-pivots-only"])


def test_threads_change_no_byte_and_batching_only_the_last_digits(traced: Path, eval_set: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    ml.trace.main(request(tmp_path, eval_set))
    name = "results/layer_traces.parquet"
    assert (tmp_path / "out" / name).read_bytes() == (traced / name).read_bytes()
    ml.trace.main(request(tmp_path, eval_set, out="single", batch_tokens=1))
    for column in ("p_top", "p_source", "p_pivot", "p_control"):
        pairs = zip(
            pq.read_table(traced / name)[column], pq.read_table(tmp_path / "single" / name)[column], strict=True
        )
        assert all(one.as_py() == pytest.approx(other.as_py(), abs=1e-5) for one, other in pairs)


@pytest.mark.parametrize("kind", ["gpt_neox", "bloom", "opt"])
def test_other_architectures_run_through(kind: str, eval_set: Path, tmp_path: Path) -> None:
    ml.trace.main(request(tmp_path, eval_set, kind=kind))
    assert json.loads((tmp_path / "out" / "run.json").read_text())["n_layers"] == 4


def test_the_record_counts_prompts_by_kind_of_control(traced: Path, eval_set: Path, tmp_path: Path) -> None:
    assert json.loads((traced / "run.json").read_text())["n_prompts_by_control"] == {
        "same_topic": 0,
        "any_item": 24,
        "none": 0,
    }
    folder = tmp_path / "set"
    folder.mkdir()
    for path in eval_set.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    topics = [{"item_id": 100, "topic": "sea"}]  # the other item's topic is not known
    pq.write_table(pa.Table.from_pylist(topics, schema=EVALUATION_SET[TOPICS]), folder / TOPICS)
    ml.trace.main(request(tmp_path, folder))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["n_prompts_by_control"] == {"same_topic": 0, "any_item": 12, "none": 12}
    for row in pq.read_table(tmp_path / "out" / "results" / "layer_traces.parquet").to_pylist():
        assert (row["p_control"] is None) == (row["item_id"] == 100)


def test_a_pair_without_pivots_has_no_pivot_probability(eval_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for path in eval_set.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    pivots = pq.read_table(eval_set / "pivots.parquet")
    pq.write_table(pivots.filter([item != 100 for item in pivots["item_id"].to_pylist()]), folder / "pivots.parquet")
    ml.trace.main(request(tmp_path, folder))
    for row in pq.read_table(tmp_path / "out" / "results" / "layer_traces.parquet").to_pylist():
        if row["item_id"] == 100:
            assert row["p_pivot"] is None
            assert row["is_top_pivot"] is False
        else:
            assert row["p_pivot"] > 0
            assert row["p_control"] is None, "no other item has pivots"


def test_pivots_of_another_tokenizer_are_refused(eval_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for path in eval_set.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"tokenizer_hash": "0" * 32}))
    with pytest.raises(UsageError, match="is not the tokenizer of the pivots"):
        ml.trace.main(request(tmp_path, folder))


def test_a_tokenizer_that_was_saved_again_is_still_that_of_the_pivots(eval_set: Path, tmp_path: Path) -> None:
    """As transformers saves one: the same vocabulary and merges in other bytes."""
    folder = tmp_path / "set"
    shutil.copytree(eval_set, folder)
    kept, again = folder / "tokenizer.json", tmp_path / "saved.json"
    kept.write_text(tokenizer_json())
    again.write_text(json.dumps(json.loads(kept.read_text()), indent=4))
    assert again.read_bytes() != kept.read_bytes()
    ml.trace.main(request(tmp_path, folder, tokenizer=again))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["tokenizer_hash"] == json.loads((folder / "manifest.json").read_text())["tokenizer_hash"]
