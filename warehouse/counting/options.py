"""What to count and with which thresholds: everything here is part of a count's identity."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from warehouse.base.errors import UsageError
from warehouse.lake.schemas import MATCH_POLICY

Unit = Literal["document", "window"]


@dataclass(frozen=True, kw_only=True)
class CountOptions:
    """Options of one count. They are stored in `raw.counts.options` exactly as used.

    An edge between two tokens is kept when it passes either rule (method sections 3 and 4):

    * paper: `min(n/n(x) - n(y)/N, n/n(y) - n(x)/N) >= min_rate_difference`, both tokens in at least
      `rate_min_token_docs` units;
    * strata: `(n - E)/sqrt(Var + 1) >= min_z`, with at least `z_min_pair_docs` joint units, both tokens in at least
      `z_min_token_docs` units.

    Raises:
        UsageError: an option is out of its range.
    """

    unit: Unit = "document"
    window_tokens: int = 2048
    max_docs_per_word: int | None = None  # keep the M units of a word with the smallest hash; None: all
    seed: int = 0  # of that hash
    min_rate_difference: float = 0.1
    rate_min_token_docs: int = 1
    min_z: float = 3.0
    z_min_pair_docs: int = 5
    z_min_token_docs: int = 20

    def __post_init__(self) -> None:
        if self.unit not in ("document", "window"):
            raise UsageError(f"--unit is {self.unit!r}: choose document or window")
        for option in ("window_tokens", "rate_min_token_docs", "z_min_pair_docs", "z_min_token_docs"):
            if getattr(self, option) < 1:
                raise UsageError(f"--{option.replace('_', '-')} is {getattr(self, option)}: give at least 1")
        if self.max_docs_per_word is not None and self.max_docs_per_word < 1:
            raise UsageError(f"--max-docs-per-word is {self.max_docs_per_word}: give at least 1, or leave it out")
        if not 0 < self.min_rate_difference <= 1:
            raise UsageError(f"--min-rate-difference is {self.min_rate_difference}: give a rate above 0, at most 1")
        if self.min_z <= 0:
            raise UsageError(f"--min-z is {self.min_z}: give a number above 0")

    @property
    def unit_name(self) -> str:
        """`document` or `window_<tokens>`, as stored in `raw.counts.unit`."""
        return self.unit if self.unit == "document" else f"window_{self.window_tokens}"

    @property
    def unit_tokens(self) -> int:
        """Tokens of a unit, 0 for whole documents: what the kernels take."""
        return 0 if self.unit == "document" else self.window_tokens

    def as_dict(self) -> dict[str, Any]:
        """The options as stored; the window's length only where there are windows.

        The policy of word matches is no option, but stays in what is stored: identities of counts are hashes of it.
        """
        stored = {**asdict(self), "match_policy": MATCH_POLICY}
        if self.unit == "document":
            del stored["window_tokens"]
        if self.max_docs_per_word is None:
            del stored["seed"]
        return stored

    @classmethod
    def from_stored(cls, stored: str) -> "CountOptions":
        """Return the options that `raw.counts.options` holds (JSON of `as_dict`)."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(stored).items() if name in known})

    def as_arguments(self) -> str:
        """The options of `pivots count` that ask for this, those left out that have their default."""
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        defaults = [field.default for field in fields(self)]
        changed = [pair for pair, default in zip(given, defaults, strict=True) if pair[1] != default]
        return "".join(f" --{name.replace('_', '-')} {value}" for name, value in changed)
