"""Processes that are lost, and launch configurations that ask for what the trainer does not do."""

import pytest

from ml.training.sharding import notice_lost_processes, start_processes
from warehouse.contract.errors import StepFailed, UsageError


def test_a_lost_process_is_named_in_one_line_and_other_failures_are_not_hidden() -> None:
    with pytest.raises(StepFailed, match="another process of this run ended"), notice_lost_processes():
        raise RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Read error: Connection reset")
    with pytest.raises(RuntimeError, match="shapes"), notice_lost_processes():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_what_accelerate_knows_and_the_trainer_does_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "1")
    monkeypatch.setenv("FSDP_OFFLOAD_PARAMS", "True")
    with pytest.raises(UsageError, match=r"fsdp_offload_params: true is not supported.*fsdp_version must be 2"):
        start_processes()
