"""The lens at every token of a prompt: equal to the library's hidden states, ranks of watched tokens, refusals."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer

import ml.models.lens
import ml.prompt_lens
from ml.common.token_text import TokenText
from ml.models.decoder import final_norm
from ml.models.lens import LayerReader
from ml.models.load import find_model, load_model
from support.ml_runs.inputs import ARCHITECTURES, make_config
from warehouse.contract.errors import StepFailed, UsageError
from warehouse.contract.result_schemas import RESULT

CPU = torch.device("cpu")
PROMPT = "English: water\nFrench: eau\n\nEnglish: bread\nFrench:"


def request(folder: Path, kind: str = "olmo", *extra: str, prompt: str = PROMPT) -> list[str]:
    model = make_config(folder / "model", kind)
    return ["--prompt", prompt, "--model", str(model), "--run-id", "l1", "--out", str(folder / "out"), *extra]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_position_and_layer_is_the_librarys_hidden_state(
    kind: str, tmp_path: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ml.models.lens, "POSITIONS_AT_ONCE", 5)
    ml.prompt_lens.main(request(tmp_path, kind, "--top", "3", "--watch", "water"))
    table = pq.read_table(tmp_path / "out" / "results" / "prompt_lenses.parquet")
    assert table.schema.equals(RESULT["prompt_lenses"])
    model = load_model(find_model(str(tmp_path / "model" / f"{kind}.json")), seed=0, dtype="float32", device=CPU)
    tokens = tokenizer.encode(PROMPT).ids
    with torch.inference_mode():
        output = model(input_ids=torch.tensor([tokens]), output_hidden_states=True, use_cache=False)
        states = [final_norm(model)(hidden[0]) for hidden in output.hidden_states[:-1]]
        probs = [model.get_output_embeddings()(state).softmax(-1) for state in states] + [output.logits[0].softmax(-1)]
    cells: dict[tuple[int, int], list[dict[str, object]]] = {}
    for row in table.to_pylist():
        cells.setdefault((row["position"], row["layer"]), []).append(row)
    assert cells.keys() == {(position, layer) for position in range(len(tokens)) for layer in range(len(probs))}
    (watched,) = tokenizer.encode("water").ids
    text = TokenText(tokenizer)
    for (position, layer), rows in cells.items():
        p = probs[layer][position]
        top = [row for row in rows if row["top_rank"] <= 3]  # type: ignore[operator]
        assert [row["top_rank"] for row in top] == [1, 2, 3]
        assert [row["p"] for row in top] == pytest.approx(p.topk(3).values.tolist(), abs=1e-5)
        assert all(row["top_token"] == text(row["top_token_id"]) for row in rows)  # type: ignore[arg-type]
        assert all(row["token_id"] == tokens[position] for row in rows)
        assert rows[0]["entropy"] == pytest.approx(float(torch.special.entr(p).sum()), abs=1e-3)
        (own,) = (row for row in rows if row["is_watched"])
        assert own["top_token_id"] == watched
        assert own["p"] == pytest.approx(float(p[watched]), abs=1e-5)
        assert own["top_rank"] == 1 + int((p > p[watched]).sum())


def test_the_gate_holds_at_every_position(tmp_path: Path) -> None:
    model = load_model(find_model(str(make_config(tmp_path, "olmo2"))), seed=1, dtype="float32", device=CPU)
    with LayerReader(model) as reader:
        reader._norm = torch.nn.Identity()
        with pytest.raises(StepFailed, match="differs from the model's own logits"):
            list(reader.read_prompt([3, 4, 5]))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="watch one"):
        ml.prompt_lens.main(request(tmp_path, "olmo", "--watch", "quartz"))
    with pytest.raises(UsageError, match="no tokens"):
        ml.prompt_lens.main(request(tmp_path, prompt=""))
    with pytest.raises(UsageError, match="the model sees only 512"):
        ml.prompt_lens.main(request(tmp_path, prompt="water " * 600))
    with pytest.raises(UsageError, match="--top must be at least 1"):
        ml.prompt_lens.main(request(tmp_path, "olmo", "--top", "0"))


def test_the_record_says_what_was_read(tmp_path: Path) -> None:
    ml.prompt_lens.main(request(tmp_path))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["config"]["prompt"] == PROMPT
    assert record["kind"] == "prompt_lens"
