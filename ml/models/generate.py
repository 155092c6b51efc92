"""Greedy continuation of many prompts at once: left-padded batches, a cache of keys and values, finished rows leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import DynamicCache, PreTrainedModel

from ml.common.token_text import TokenText
from ml.models.decoder import refused
from ml.models.load import accepts_position_ids
from warehouse.contract.errors import UsageError

_PADDING = 0
_CHECKED_TOKENS = 4
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.25}  # nats


@dataclass(frozen=True)
class Continuation:
    """What a model wrote behind a prompt. A token that stopped it is the last one, unless it is a special token."""

    tokens: list[int]
    stopped_by: str  # newline, eos, length


def stop_tokens(tokenizer: Tokenizer, model: PreTrainedModel) -> dict[int, str]:
    r"""Return why each token ends a line: 'newline' when its text holds one (".\n" too), 'eos' for an end of text."""
    text = TokenText(tokenizer)
    stops = {token: "newline" for token in range(tokenizer.get_vocab_size()) if "\n" in text(token)}
    eos = model.config.eos_token_id
    return stops | dict.fromkeys(eos if isinstance(eos, list) else [eos] if eos is not None else [], "eos")


@torch.inference_mode()
def continue_greedily(
    model: PreTrainedModel, prompts: Sequence[list[int]], *, stops: Mapping[int, str], max_new_tokens: int
) -> list[Continuation]:
    """Return the likeliest next token after another behind each prompt, up to a stop or `max_new_tokens`."""
    device, head = model.device, model.get_output_embeddings()
    longest = max(map(len, prompts))
    fillers = torch.tensor([longest - len(prompt) for prompt in prompts], device=device)
    inputs = torch.tensor([[_PADDING] * (longest - len(prompt)) + prompt for prompt in prompts], device=device)
    mask = (torch.arange(longest, device=device)[None] >= fillers[:, None]).long()
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    written: list[list[int]] = [[] for _ in prompts]
    reasons = ["length"] * len(prompts)
    rows = list(range(len(prompts)))  # whose prompt stands in each row of the batch
    for step in range(max_new_tokens):
        options = {"position_ids": positions} if accepts_position_ids(model) else {}
        output = model.base_model(
            input_ids=inputs, attention_mask=mask, past_key_values=cache, use_cache=True, **options
        )
        chosen = head(output.last_hidden_state[:, -1]).argmax(dim=-1)
        kept = []
        for place, (row, token) in enumerate(zip(rows, chosen.tolist(), strict=True)):
            reason = stops.get(token)
            if reason != "eos":
                written[row].append(token)
            if reason is None:
                kept.append(place)
            else:
                reasons[row] = reason
        if not kept or step == max_new_tokens - 1:
            break
        if len(kept) < len(rows):
            rows = [rows[place] for place in kept]
            index = torch.tensor(kept, device=device)
            cache.batch_select_indices(index)
            mask, chosen = mask[index], chosen[index]
        inputs = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        positions = mask.sum(dim=-1, keepdim=True) - 1
    return [Continuation(tokens, reason) for tokens, reason in zip(written, reasons, strict=True)]


@torch.inference_mode()
def check_continuations(model: PreTrainedModel, prompts: Sequence[list[int]]) -> None:
    """Continue a few prompts together, and hold each token to a plain forward pass over its prompt alone.

    Raises UsageError when a token is not the likeliest there: the model does not obey padding, positions or cache.
    """
    with refused(f"model type {model.config.model_type} cannot write in padded batches with a cache"):
        together = continue_greedily(model, prompts, stops={}, max_new_tokens=_CHECKED_TOKENS)
    for prompt, continuation in zip(prompts, together, strict=True):
        tokens = torch.tensor([prompt + continuation.tokens], device=model.device)
        log_probs = model(input_ids=tokens, use_cache=False).logits[0].float().log_softmax(dim=-1)
        for place, token in enumerate(continuation.tokens, start=len(prompt) - 1):
            missed = float(log_probs[place].max() - log_probs[place, token])
            if not missed <= _TOLERANCE[model.dtype]:
                raise UsageError(
                    f"model type {model.config.model_type} cannot write in padded batches with a cache: a token is "
                    f"{missed:.3g} nats less likely than the best one of a plain pass"
                )
