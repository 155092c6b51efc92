"""Where a warehouse lives and what of the machine it may use."""

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = Path("pivots-home")
CALLERS_HOME = "PIVOTS_CALLERS_HOME"  # for programs that we start on a home: which one their caller's commands take


@dataclass(frozen=True)
class Home:
    """The folder that holds one warehouse. Every path of the product is a property here."""

    root: Path

    @classmethod
    def resolve(cls, option: Path | None = None) -> "Home":
        """Return the home given by the option, else by PIVOTS_HOME, else ./pivots-home (absolute)."""
        chosen = option or Path(os.environ.get("PIVOTS_HOME") or DEFAULT_HOME)
        return cls(chosen.expanduser().resolve())

    @classmethod
    def of_demo(cls, option: Path | None = None) -> "Home":
        """Return the home given by the option, else `demo` in the usual one: nobody's own corpus lies there."""
        return cls.resolve(option) if option else cls(cls.resolve().root / "demo")

    @property
    def lake(self) -> Path:
        """Immutable Parquet shards, one folder per raw table."""
        return self.root / "lake"

    @property
    def warehouse_file(self) -> Path:
        """The writer's DuckDB file: views over the lake and the dbt models."""
        return self.root / "warehouse.duckdb"

    @property
    def writer_lock(self) -> Path:
        return self.root / "writer.lock"

    @property
    def spill(self) -> Path:
        """DuckDB's temporary files."""
        return self.root / "tmp"

    @property
    def serving(self) -> Path:
        """Published copies; `current` points at the one that readers open."""
        return self.root / "serving"

    @property
    def published_file(self) -> Path:
        return self.serving / "current" / "warehouse.duckdb"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def runs(self) -> Path:
        """Working folders of training, scoring and tracing runs."""
        return self.root / "runs"

    @property
    def inbox(self) -> Path:
        """A folder per corpus, of its name, with files that the nightly refresh ingests."""
        return self.root / "inbox"

    @property
    def checkpoints(self) -> Path:
        """Models that the hourly evaluation looks for."""
        return self.root / "checkpoints"

    @property
    def models(self) -> Path:
        """Models made of GGUF files: made again when they are gone."""
        return self.root / "models"

    @property
    def report_file(self) -> Path:
        return self.root / "report.html"

    @property
    def prefect(self) -> Path:
        return self.root / "prefect"

    @property
    def dbt_target(self) -> Path:
        return self.root / "dbt" / "target"

    @property
    def dbt_state(self) -> Path:
        """The project as the last build of everything saw it: what changes since are held to."""
        return self.root / "dbt" / "state"

    @property
    def dbt_docs_file(self) -> Path:
        return self.root / "dbt-docs" / "index.html"

    @property
    def dbt_logs(self) -> Path:
        return self.root / "dbt" / "logs"
