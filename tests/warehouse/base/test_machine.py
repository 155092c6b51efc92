"""What the machine and its control groups allow."""

import resource
from pathlib import Path

import pytest

from warehouse.base.machine import cgroup_bounds, memory_limit

GIB = 1 << 30


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_bounds_of_version_2_are_those_of_a_group_and_of_the_groups_around_it(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "0::/user/job\n")
    write(tmp_path / "fs" / "user" / "job" / "memory.max", "max\n")
    write(tmp_path / "fs" / "user" / "memory.max", f"{3 * GIB}\n")
    write(tmp_path / "memory.max", f"{GIB}\n")  # outside of what is mounted
    assert list(cgroup_bounds(own, tmp_path / "fs")) == [3 * GIB]


def test_bounds_of_version_1_are_those_of_its_memory_groups(tmp_path: Path) -> None:
    own = write(tmp_path / "own", "5:cpu:/job\n4:memory:/job\n0::/\n")
    write(tmp_path / "fs" / "memory" / "job" / "memory.limit_in_bytes", f"{2 * GIB}\n")
    write(tmp_path / "fs" / "memory" / "memory.limit_in_bytes", f"{8 * GIB}\n")
    assert sorted(cgroup_bounds(own, tmp_path / "fs")) == [2 * GIB, 8 * GIB]


def test_without_control_groups_there_are_none(tmp_path: Path) -> None:
    assert list(cgroup_bounds(tmp_path / "own", tmp_path)) == []


def test_the_limit_is_the_setting_else_half_of_the_narrowest_bound_and_never_more_than_a_step_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PIVOTS_MEMORY", raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (3 * GIB, 3 * GIB))
    assert memory_limit() == "1536MiB"
    assert memory_limit(1024) == "1024MiB"
    monkeypatch.setenv("PIVOTS_MEMORY", "9GiB")
    assert memory_limit(1024) == "9GiB"
