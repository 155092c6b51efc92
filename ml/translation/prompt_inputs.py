"""What every program that writes prompts reads beside its model, and what its record says of that."""

from dataclasses import dataclass
from typing import Any

from ml.program.loaded import LoadedModel, TokenizerFile, open_tokenizer
from ml.translation.eval_set import EvalSet
from ml.translation.prompts import TEMPLATE, PromptBuilder
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.requests import ModelRequest


@dataclass(frozen=True)
class PromptInputs:
    """A set of items, the English names of its languages, and the tokenizer with the builder of prompts.

    Attributes:
        name: what the record calls the set: `eval_set`, `sentences`.
        template: the prompts' template.
    """

    items: EvalSet
    names: dict[str, str]
    tokenizer: TokenizerFile
    builder: PromptBuilder
    name: str
    template: str

    @property
    def identity(self) -> dict[str, Any]:
        """What the numbers depend on."""
        return self.hashes | {
            "tokenizer": self.tokenizer.hash,
            "prompt_template": short_hash([self.template, self.names]),
        }

    @property
    def hashes(self) -> dict[str, str]:
        """Content hashes of what was read."""
        return {self.name: self.items.content_hash}

    @property
    def details(self) -> dict[str, Any]:
        """What the record says of the prompts as they were written. Asked behind `builder.check`."""
        return {
            "tokenizer_hash": self.tokenizer.hash,
            "prompt_assembly": self.builder.assembly,
            "leading_special_ids": self.builder.specials,
        }

    def check_pivots(self) -> None:
        """Raise UsageError where the tokenizer is not the one that the set's pivots are tokens of."""
        if self.tokenizer.hash != (wanted := self.items.manifest["tokenizer_hash"]):
            raise UsageError(
                f"{self.tokenizer.path} ({self.tokenizer.hash[:12]}) is not the tokenizer of the pivots in "
                f"{self.items.folder} ({wanted[:12]}), so their token ids mean other texts: trace a model of that "
                "tokenizer, or ingest the documents with this one under another --corpus name"
            )


def prompt_inputs(
    request: ModelRequest,
    items: EvalSet,
    names: dict[str, str],
    loaded: LoadedModel,
    *,
    name: str = "eval_set",
    template: str = TEMPLATE,
    what: str = "words",
) -> PromptInputs:
    """Open the tokenizer for a set of items; `what` is translated. Raises UsageError where there is none."""
    tokenizer = open_tokenizer(request, loaded.source, items.folder)
    builder = PromptBuilder(items, tokenizer.tokenizer, names, what=what)
    return PromptInputs(items, names, tokenizer, builder, name, template)
