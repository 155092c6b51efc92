"""Loading models: random weights by seed, explicit dtype, and no embedding row that never learns."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ml.models.load import find_model, load_model, model_hash, visible_length
from ml.training.loss import LossModel
from support.ml_runs.inputs import ARCHITECTURES, EOS, VOCAB_SIZE, make_config
from warehouse.contract.errors import UsageError

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_padding_id_that_is_also_eos_leaves_no_row_without_a_gradient(kind: str, tmp_path: Path) -> None:
    """Untied weights, so that the gradient of the row is the input's alone."""
    gradients = []
    for pad in (None, EOS):
        config = make_config(tmp_path / str(pad), kind, pad_token_id=pad, tie_word_embeddings=False)
        model = load_model(find_model(str(config)), seed=0, dtype="float32", device=CPU)
        tokens = torch.randint(1, VOCAB_SIZE, (2, 9), generator=torch.Generator().manual_seed(0))
        tokens[:, 4] = EOS
        LossModel(model)(tokens, tokens.roll(-1, 1), None, None).backward()
        gradients.append(model.get_input_embeddings().weight.grad[EOS])
    assert float(gradients[0].abs().max()) > 0
    assert float(gradients[1].abs().max()) > 0


def test_random_weights_follow_the_seed_and_nothing_else(tmp_path: Path) -> None:
    source = find_model(str(make_config(tmp_path)))
    torch.manual_seed(99)
    one, again, other = (load_model(source, seed=seed, dtype="float32", device=CPU) for seed in (1, 1, 2))
    weights = [model.get_input_embeddings().weight for model in (one, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert model_hash(source, seed=1) != model_hash(source, seed=2)


def test_every_parameter_has_the_dtype_asked_for(tmp_path: Path) -> None:
    config = make_config(tmp_path, dtype="bfloat16")
    model = load_model(find_model(str(config)), seed=0, dtype="float32", device=CPU)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def saved(tmp_path: Path) -> Path:
    """Return the folder of a small model."""
    source = find_model(str(make_config(tmp_path / "config")))
    load_model(source, seed=0, dtype="float32", device=CPU).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("is_known", [True, False])
def test_code_in_a_model_folder_is_never_run_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    folder, ran = saved(tmp_path), tmp_path / "ran"
    (folder / "evil.py").write_text(
        f"open({str(ran)!r}, 'w')\nfrom transformers import LlamaConfig as C, LlamaForCausalLM as M\n"
    )
    config = json.loads((folder / "config.json").read_text())
    config |= {"auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}}
    (folder / "config.json").write_text(json.dumps(config | ({} if is_known else {"model_type": "no-such-type"})))
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # what transformers asks for when nobody has said no
    if is_known:
        load_model(find_model(str(folder)), seed=0, dtype="float32", device=CPU)
    else:
        with pytest.raises(UsageError, match="--model") as refused:
            load_model(find_model(str(folder)), seed=0, dtype="float32", device=CPU)
        assert "\n" not in str(refused.value)
    assert not ran.exists()


def test_weights_that_can_hold_code_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    weights = folder / "model.safetensors"
    torch.save({}, folder / "pytorch_model.bin")
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(UsageError, match="no safetensors weights") as refused:
        load_model(find_model(str(folder)), seed=0, dtype="float32", device=CPU)
    assert "\n" not in str(refused.value)
    weights.unlink()
    with pytest.raises(UsageError, match=r"\*\.bin files may hold code"):
        find_model(str(folder))


def test_an_encoder_with_a_decoder_is_refused_before_its_weights_are_read(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "bart"}')
    with pytest.raises(UsageError, match="bart has an encoder and a decoder"):
        load_model(find_model(str(config)), seed=0, dtype="float32", device=CPU)


def test_the_hash_sees_every_file_of_weights(tmp_path: Path) -> None:
    source = find_model(str(saved(tmp_path)))
    assert source.folder is not None
    hashes = {model_hash(source, seed=0)}
    (source.folder / "part").mkdir()
    for name in ("model-2.safetensors", "part/more.safetensors", "model.safetensors.index.json"):
        (source.folder / name).write_bytes(b"{}")
        hashes.add(model_hash(source, seed=0))
    assert len(hashes) == 4


def test_weights_in_several_files_are_one_model(tmp_path: Path) -> None:
    whole = load_model(find_model(str(saved(tmp_path))), seed=0, dtype="float32", device=CPU)
    whole.save_pretrained(tmp_path / "parts", max_shard_size="60KB")
    assert len(list((tmp_path / "parts").glob("*.safetensors"))) > 1
    source = find_model(str(tmp_path / "parts"))
    parts = load_model(source, seed=0, dtype="float32", device=CPU)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(parts.state_dict()[name], tensor), name
    before = model_hash(source, seed=0)
    index = tmp_path / "parts" / "model.safetensors.index.json"
    index.write_text(index.read_text() + " ")
    assert model_hash(source, seed=0) != before


def test_a_revision_of_a_hub_model_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = tmp_path / "hub" / "models--some--model"
    for commit, seed in (("1" * 40, 1), ("2" * 40, 2)):
        source = find_model(str(make_config(tmp_path / "config")))
        folder = cached / "snapshots" / commit
        load_model(source, seed=seed, dtype="float32", device=CPU).save_pretrained(folder)
        (folder / "tokenizer.json").write_text((tmp_path / "config" / "tokenizer.json").read_text())
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("1" * 40)
    (cached / "refs" / "early").write_text("2" * 40)
    for module in ("huggingface_hub.constants", "transformers.utils.hub", "transformers.utils"):
        monkeypatch.setattr(f"{module}.HF_HUB_CACHE", str(tmp_path / "hub"), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = {spec: find_model(spec) for spec in ("some/model", "some/model@early")}
    assert [source.commit for source in found.values()] == ["1" * 40, "2" * 40]
    first, second = (load_model(source, seed=0, dtype="float32", device=CPU) for source in found.values())
    assert not torch.equal(first.get_input_embeddings().weight, second.get_input_embeddings().weight)


def test_a_window_limits_only_models_all_of_whose_layers_have_one() -> None:
    def config(**values: object) -> SimpleNamespace:
        return SimpleNamespace(max_position_embeddings=2048, **values)

    assert visible_length(config()) == 2048
    assert visible_length(config(sliding_window=512)) == 512
    assert visible_length(config(sliding_window=512, use_sliding_window=False)) == 2048
    assert visible_length(config(sliding_window=512, layer_types=["sliding_attention"] * 2)) == 512
    assert visible_length(config(sliding_window=512, layer_types=["sliding_attention", "full_attention"])) == 2048
