import json
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.model_identity import Model, Provenance, at_revision, identify_model, provenance
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import SCHEMAS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tiny"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    return made


def test_folder_is_known_by_its_weights_not_by_its_place(folder: Path, tmp_path: Path) -> None:
    first = identify_model(str(folder))
    (folder / "README.md").write_text("a note changes nothing")
    assert identify_model(str(folder)) == first
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert identify_model(str(folder)).model_id != first.model_id


def test_trained_model_is_named_after_its_run(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "train-1a2b"
    run.mkdir()
    folder.rename(run / "model")
    assert identify_model(str(run / "model")).model_id.startswith("train-1a2b@")


def test_configuration_file_is_a_random_model_of_a_seed(tmp_path: Path) -> None:
    config = tmp_path / "olmo-tiny.json"
    config.write_text(json.dumps({"model_type": "olmo"}))
    assert identify_model(str(config), seed=1).model_id != identify_model(str(config), seed=2).model_id


def test_hub_name_stands_for_itself() -> None:
    assert identify_model("allenai/OLMo-1B-hf") == Model("allenai/OLMo-1B-hf", "allenai/OLMo-1B-hf")


@pytest.mark.parametrize("spec", ["./nowhere", "/nowhere/model", "nowhere.json"])
def test_path_that_does_not_exist_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="no model at"):
        identify_model(spec)


def test_folder_without_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no config\.json"):
        identify_model(str(tmp_path))


def test_file_that_is_no_configuration_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"\x80\x81")
    with pytest.raises(UsageError, match="no model configuration"):
        identify_model(str(file))


def test_provenance_is_what_the_training_run_recorded(tmp_path: Path) -> None:
    home = Home(tmp_path)
    row = {"run_id": "r", "kind": "train", "model_id": "m", "experiment": "e", "strategy": "pivot_aware", "seed": 3}
    write_table(shard_path(home, "runs", "r"), "runs", pa.Table.from_pylist([row], schema=SCHEMAS["runs"]))
    assert provenance(home, Model("x", "m")) == Provenance("e", "pivot_aware", 3)
    assert provenance(home, Model("x", "other")) == Provenance(None, "base", None)


def test_a_revision_stands_behind_a_hub_name_and_nowhere_else(tmp_path: Path) -> None:
    assert at_revision("allenai/OLMo-1B-hf", None) == "allenai/OLMo-1B-hf"
    spec = at_revision("allenai/OLMo-1B-hf", "step1000")
    assert identify_model(spec) == Model("allenai/OLMo-1B-hf@step1000", "allenai/OLMo-1B-hf@step1000")
    for other in (str(tmp_path), "ml/base_model", spec):
        with pytest.raises(UsageError, match="only those have revisions"):
            at_revision(other, "main")


def test_a_gguf_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "small.Q4_0.gguf"
    file.write_bytes(b"GGUF one")
    first = identify_model(str(file))
    assert first.model_id.startswith("small.Q4_0@")
    file.write_bytes(b"GGUF two")
    assert identify_model(str(file)).model_id != first.model_id
    with pytest.raises(UsageError, match="no model at"):
        identify_model("missing.gguf")
