"""Interventions: what is stored is what a plain hook gives; answers untouched are the model's own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor

import ml.intervene
from ml.models.decoder import decoder_blocks
from ml.models.load import find_model, load_model
from ml.models.residual_edit import norm_weight
from ml.translation.eval_set import open_eval_set, read_pivots
from ml.translation.item_words import word_tokens
from ml.translation.prompts import PromptBuilder, all_prompts, informative_prompt
from support.ml_runs.inputs import make_config
from warehouse.contract.errors import UsageError
from warehouse.contract.result_schemas import RESULT

NAMES = {"en": "English", "fr": "French", "ja": "Japanese", "zh": "Chinese"}
LAYER = 2


def request(folder: Path, eval_set: Path, *, kind: str = "olmo2", layers: tuple[int, ...] = (LAYER,)) -> list[str]:
    model = make_config(folder / "model", kind)
    options = ["--eval-set", eval_set, "--model", model, "--run-id", "i1", "--out", folder / "out"]
    return [str(part) for part in [*options, *(part for layer in layers for part in ("--layer", layer))]]


@pytest.fixture(scope="module")
def intervened(tmp_path_factory: pytest.TempPathFactory, eval_set: Path) -> Path:
    folder = tmp_path_factory.mktemp("intervened")
    ml.intervene.main(request(folder, eval_set, layers=(1, LAYER)))
    return folder


def test_rows_are_what_a_plain_hook_gives(intervened: Path, eval_set: Path, tokenizer: Tokenizer) -> None:
    table = pq.read_table(intervened / "out" / "results" / "interventions.parquet")
    assert table.schema.equals(RESULT["interventions"])
    keys = ("item_id", "source_lang", "target_lang", "layer", "intervention")
    rows = {tuple(row[key] for key in keys): row for row in table.to_pylist()}
    assert {key[4] for key in rows} == {"own_pivots", "other_pivots", "random_tokens", "concept_mean"}
    assert table.num_rows == len(rows)
    opened = open_eval_set(eval_set)
    pivots, builder = read_pivots(opened), PromptBuilder(opened, tokenizer, NAMES)
    source = find_model(str(intervened / "model" / "olmo2.json"))
    model = load_model(source, seed=0, dtype="float32", device=torch.device("cpu"))
    unembedding = model.get_output_embeddings().weight.detach() * norm_weight(model)
    prompts = {prompt.key[:3]: prompt for prompt in all_prompts(opened, draws=[0])}
    written = {key: builder.tokenize([prompt])[0] for key, prompt in prompts.items()}
    places = {key: len(informative_prompt(tokenizer, tokens)) - 1 for key, tokens in written.items()}

    def answer(key: tuple[int, str, str], change: Callable[[Tensor], None]) -> tuple[float, Tensor]:
        """Return the answer's mean NLL and the states [S, D] behind the layer, before the change."""
        tokens = written[key]
        row, n_target = tokens.prefix + tokens.suffixes[0], tokens.n_targets[0]
        kept = []

        def edit(module: object, args: object, output: Tensor) -> Tensor:
            kept.append(output[0].clone())
            changed = output.clone()
            change(changed[0])
            return changed

        hook = decoder_blocks(model)[LAYER - 1].register_forward_hook(edit)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([row[:-1]]), use_cache=False).logits[0]
        hook.remove()
        nlls = -logits.log_softmax(-1)[-n_target:].gather(1, torch.tensor(row[-n_target:])[:, None])
        return float(nlls.double().mean()), kept[0]

    def nothing(states: Tensor) -> None:
        pass

    for key in [*prompts][::5]:
        item, asked, target = key
        of_words = [*word_tokens(tokenizer, prompts[key].query.source_word)]
        of_words += word_tokens(tokenizer, prompts[key].query.target_word)
        directions = unembedding[[token for token in pivots[key] if token not in of_words]].double().numpy()
        projection = torch.tensor(np.linalg.pinv(directions) @ directions, dtype=torch.float32)
        others = [other for other in prompts if other[0] == item and other[2] == target and other[1] != asked]
        mean = torch.stack([answer(other, nothing)[1][places[other]] for other in others]).mean(0)

        def remove(states: Tensor, start: int = len(written[key].prefix), p: Tensor = projection) -> None:
            states[start:] -= states[start:] @ p

        def put(states: Tensor, place: int = places[key], state: Tensor = mean) -> None:
            states[place] = state

        own, random = rows[*key, LAYER, "own_pivots"], rows[*key, LAYER, "random_tokens"]
        assert own["nll_mean_untouched"] == pytest.approx(answer(key, nothing)[0], abs=1e-4)
        assert own["nll_mean"] == pytest.approx(answer(key, remove)[0], abs=1e-4)
        assert own["n_directions"] == random["n_directions"] == np.linalg.matrix_rank(directions)
        assert own["nll_mean"] != random["nll_mean"]
        assert 0 < own["changed_share"] < 1
        concept = rows[*key, LAYER, "concept_mean"]
        assert concept["nll_mean"] == pytest.approx(answer(key, put)[0], abs=1e-4)
        assert concept["n_directions"] is None


@pytest.mark.parametrize("kind", ["bloom", "gpt_neox", "opt"])
def test_other_architectures_run_through(kind: str, eval_set: Path, tmp_path: Path) -> None:
    ml.intervene.main(request(tmp_path, eval_set, kind=kind))
    assert pq.read_table(tmp_path / "out" / "results" / "interventions.parquet").num_rows > 0


def test_a_layer_that_does_not_exist_is_refused(eval_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--layer 9: the model has layers 1 to 3"):
        ml.intervene.main(request(tmp_path, eval_set, layers=(1, 9)))
