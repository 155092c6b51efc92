"""The logit lens (method section 7): what each layer's hidden state would say, through final norm and unembedding.

The parts of a causal LM are found without knowing its architecture: the decoder blocks are the module list as long as
the model is deep, and the final norm is proved by the gate: behind the last block it must give the model's own logits.
"""

import inspect
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.models.decoder import decoder_blocks, final_norm
from ml.models.unembedding import head_logits, logit_rule
from warehouse.contract.errors import StepFailed, UsageError

POSITIONS_AT_ONCE = 64  # of a prompt: 32 MB of logits with a large vocabulary
_GATE = {torch.float32: 1e-3, torch.bfloat16: 5e-2}  # of the largest logit's size


class LayerReader:
    """Reads hidden states after the embeddings and after each block, layer by layer.

    `read` keeps the last position of each row, [B, D] per layer; `read_prompt` every position of one prompt, [S, D].
    Logits of one layer are made at a time. Several threads may read at once. Use it as a context: leaving removes the
    hooks.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        logit_rule(model)  # measured before there are hooks
        self._model = model
        self._norm = final_norm(model)
        self._keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._local = threading.local()
        self.device = model.device
        blocks = decoder_blocks(model)
        self.n_layers = len(blocks) + 1  # with the embeddings
        self._hooks = [blocks[0].register_forward_pre_hook(self._keep_input, with_kwargs=True)]
        self._hooks += [block.register_forward_hook(self._keep_output) for block in blocks]

    def __enter__(self) -> "LayerReader":
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keep_input(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._keep(args[0] if args else kwargs["hidden_states"])

    def _keep_output(self, module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
        # blocks return a tensor, BLOOM's a tuple: indexing the former would take a row of the batch
        self._keep(output[0] if isinstance(output, tuple) else output)

    def _keep(self, hidden_bsd: Tensor) -> None:
        self._local.states.append(hidden_bsd[0] if self._local.every_position else hidden_bsd[:, -1])

    @torch.inference_mode()
    def read(self, tokens_bs: Tensor) -> Iterator[Tensor]:
        """Yield log-probabilities [B, V], float32, of the next token behind each row, layer 0 first.

        Rows have equal lengths (no padding). The last layer yields the model's own output.
        Raises StepFailed unless the lens of the last layer equals it: then norm or blocks are not what they seem;
        UsageError where blocks pass on something else than one state a position.
        """
        self._local.states, self._local.every_position = [], False
        options = {"logits_to_keep": 1} if self._keeps_last else {}
        own = self._model(input_ids=tokens_bs, use_cache=False, **options).logits[:, -1].float()
        states: list[Tensor] = self._local.states
        assert len(states) == self.n_layers
        for layer, state in enumerate(states):
            logits = head_logits(self._model, self._norm(state))
            if layer == self.n_layers - 1:
                self._check_gate(logits, own)
                logits = own
            yield logits.log_softmax(dim=-1)

    @torch.inference_mode()
    def read_prompt(self, tokens: list[int]) -> Iterator[tuple[int, int, Tensor]]:
        """Yield (layer, first position, log-probabilities [at most 64, V], float32) for every token of one prompt.

        Layer 0 first, positions ascending.
        Raises StepFailed as `read` does.
        """
        self._local.states, self._local.every_position = [], True
        tokens_1s = torch.tensor([tokens], device=self.device)
        own_sd = self._model.base_model(input_ids=tokens_1s, use_cache=False).last_hidden_state[0]
        states: list[Tensor] = self._local.states
        assert len(states) == self.n_layers
        for layer, state in enumerate(states):
            for start in range(0, len(tokens), POSITIONS_AT_ONCE):
                part = slice(start, start + POSITIONS_AT_ONCE)
                logits = head_logits(self._model, self._norm(state[part]))
                if layer == self.n_layers - 1:
                    own = head_logits(self._model, own_sd[part])
                    self._check_gate(logits, own)
                    logits = own
                yield layer, start, logits.log_softmax(dim=-1)

    def _check_gate(self, lens: Tensor, own: Tensor) -> None:
        if lens.shape != own.shape:  # several streams side by side
            raise UsageError(
                f"model type {self._model.config.model_type}: its blocks do not pass on one state a position, so its "
                "layers cannot be read through its final norm"
            )
        difference = float((lens - own).abs().max())
        allowed = _GATE[self._model.dtype] * max(1.0, float(own.abs().max()))
        if not difference <= allowed:
            raise StepFailed(
                f"model type {self._model.config.model_type}: the lens of the last layer differs from the model's own "
                f"logits by {difference:.3g} (allowed {allowed:.3g}), so its layers cannot be read this way"
            )
