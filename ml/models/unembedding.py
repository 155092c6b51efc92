"""From hidden states to logits: the head, and what a model does to its logits behind it.

Some architectures scale their logits (Granite, Cohere), some bound them by a soft cap, cap * tanh(logits / cap)
(Gemma 2). Which entry of the configuration does what is measured against the model's own logits, never told by its name
alone.
"""

import itertools
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel

from warehouse.contract.errors import UsageError

_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 3e-2}  # of the largest logit's size, and at least this


@dataclass(frozen=True)
class LogitRule:
    """What becomes of logits behind the head: multiplied, then capped."""

    scale: float = 1.0
    cap: float | None = None

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the model's logits from those of its head, in float32."""
        logits = logits.float()
        if self.scale != 1.0:
            logits = logits * self.scale
        return logits if self.cap is None else torch.tanh(logits / self.cap) * self.cap

    def slope(self, logits: Tensor) -> Tensor | float:
        """Return the derivative by the head's logits, at logits that this rule gave."""
        return self.scale if self.cap is None else self.scale * (1 - (logits / self.cap) ** 2)


_RULES: WeakKeyDictionary[PreTrainedModel, LogitRule] = WeakKeyDictionary()


def head_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Return the logits [..., V], float32, that the model gives for normalised hidden states [..., D]."""
    head: Any = model.get_output_embeddings()
    return logit_rule(model)(head(hidden))


def logit_rule(model: PreTrainedModel) -> LogitRule:
    """Return what a model does to its logits behind the head; measured once.

    Raises:
        UsageError: its logits are not those of the last hidden state under any rule that its configuration names.
    """
    if model not in _RULES:
        _RULES[model] = _measured_rule(model)
    return _RULES[model]


@torch.no_grad()
def _measured_rule(model: PreTrainedModel) -> LogitRule:
    head: Any = model.get_output_embeddings()
    tokens = torch.arange(4, device=model.device)[None] % model.config.vocab_size
    was_training = model.training
    model.eval()  # dropout would make two passes differ
    try:
        hidden = model.base_model(input_ids=tokens, use_cache=False).last_hidden_state
        own = model(input_ids=tokens, use_cache=False).logits.float()
    finally:
        model.train(was_training)
    if head is not None:
        plain = head(hidden)
        allowed = _TOLERANCE[model.dtype] * max(1.0, float(own.abs().max()))
        errors = {rule: float((rule(plain) - own).abs().max()) for rule in _named_rules(model.config)}
        # small logits fit with and without a cap: what the configuration names comes first
        for rule, error in errors.items():
            if error <= allowed and error <= 2 * min(errors.values()) + 1e-5 * float(own.abs().max()):
                return rule
    raise UsageError(f"model type {model.config.model_type} changes its logits after the unembedding: not supported")


def _named_rules(config: Any) -> list[LogitRule]:
    """Return the rules that entries of a configuration may stand for, those that do most first."""
    entries = {
        name: float(value)
        for name, value in config.to_dict().items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    }
    of_logits = {name: value for name, value in entries.items() if "logit" in name or "lm_head" in name}
    caps = [v for name, v in of_logits.items() if "cap" in name and "att" not in name and "router" not in name]
    scales = [v for name, v in of_logits.items() if "cap" not in name and "init" not in name]
    factors = [factor for scale in scales for factor in (scale, 1 / scale)]
    return [LogitRule(scale, cap) for cap, scale in itertools.product([*caps, None], [*factors, 1.0])]
