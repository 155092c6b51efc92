"""Run records: what was asked, of what, with which code. Every result row leads back to one."""

import importlib.metadata
import json
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse import __version__
from warehouse.base import shipped
from warehouse.base.settings import Home
from warehouse.contract.hashing import short_hash
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import RECORDED

_VERSIONED = (
    "semantic-pivots",
    "duckdb",
    "dbt-core",
    "pyarrow",
    "tokenizers",
    "gigatoken",
    "torch",
    "transformers",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One request. Its id is the hash of kind, configuration and inputs, so asking twice gives the same run."""

    kind: str
    config: dict[str, Any]
    inputs: dict[str, str]
    corpus: str | None = None
    experiment: str | None = None
    strategy: str | None = None
    seed: int | None = None
    model_id: str | None = None
    export_id: str | None = None
    tokenizer_hash: str | None = None
    model_series: str | None = None
    model_step: int | None = None
    n_tokens_seen: int | None = None
    versions: dict[str, str] = field(default_factory=dict)  # of what is known when it was read only: commits of models
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def run_id(self) -> str:
        request = [
            self.kind,
            self.config,
            self.inputs,
            self.corpus,
            self.experiment,
            self.strategy,
            self.seed,
        ]
        return f"{self.kind}-{short_hash(request)}"

    def record(self, home: Home) -> None:
        """Write the run's row, finished now. The first record of a run stays: a repeated run changes nothing."""
        path = shard_path(home, "runs", self.run_id)
        if path.exists():
            return
        row = {
            "run_id": self.run_id,
            "kind": self.kind,
            "corpus": self.corpus,
            "experiment": self.experiment,
            "strategy": self.strategy,
            "seed": self.seed,
            "model_id": self.model_id,
            "export_id": self.export_id,
            "git_commit": git_commit(),
            "config_hash": short_hash(self.config),
            "config": json.dumps(self.config, sort_keys=True, ensure_ascii=False),
            "inputs": json.dumps(self.inputs, sort_keys=True, ensure_ascii=False),
            "tokenizer_hash": self.tokenizer_hash,
            "model_series": self.model_series,
            "model_step": self.model_step,
            "n_tokens_seen": self.n_tokens_seen,
            "versions": json.dumps(installed_versions() | self.versions, sort_keys=True),
            "started_at": self.started_at,
            "finished_at": datetime.now(UTC),
        }
        write_table(path, "runs", pa.Table.from_pylist([row], schema=RECORDED["runs"]))


def git_commit() -> str:
    """Return the checkout's commit, marked '+' when files differ from it; `v` and the version when there is none."""
    root = shipped.checkout()
    if root is None:  # an installed wheel; a repository around it is somebody else's
        return f"v{__version__}"
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return f"v{__version__}"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result."""
    versions = {"python": platform.python_version()}
    for package in _VERSIONED:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
