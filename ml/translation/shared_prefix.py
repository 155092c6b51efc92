"""Target NLLs of all candidates of a prompt in one row: prefix once, then every candidate's rest beside the others.

Row layout: prefix tokens, then the suffixes one after another. Each suffix continues at the position behind the
prefix, and an explicit mask lets it see the prefix and itself, so that its numbers are those of a prompt of its own.
Hidden states are unembedded only where a target token is predicted. Models that take no position ids (BLOOM: ALiBi)
get the same result from a cached prefix, repeated once per candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from ml.models.decoder import refused
from ml.models.load import accepts_position_ids
from ml.models.nll import token_nlls
from ml.models.sliding import layer_masks
from ml.translation.prompts import PromptTokens
from ml.translation.score_reference import candidate_nlls
from warehouse.contract.errors import UsageError

_PADDING = 0
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.25}


@dataclass(frozen=True)
class Answers:
    """Where target tokens are predicted: row, place in the row, and the token, one entry per target token."""

    rows: Tensor
    places: Tensor
    tokens: Tensor


def make_row(prompt: PromptTokens) -> tuple[list[int], list[int], list[int], list[tuple[int, int]]]:
    """Return (tokens, positions, segments, answers) of one row. Segment 0 is the prefix, k the k-th suffix.

    Answers are (place, target token): the last target token of a suffix is predicted, never read.
    """
    n_prefix = len(prompt.prefix)
    tokens, positions, segments = list(prompt.prefix), list(range(n_prefix)), [0] * n_prefix
    answers = []
    for number, (suffix, n_target) in enumerate(zip(prompt.suffixes, prompt.n_targets, strict=True), start=1):
        start, read = len(tokens), len(suffix) - 1
        tokens += suffix[:read]
        positions += range(n_prefix, n_prefix + read)
        segments += [number] * read
        answers += [(start + place - 1, suffix[place]) for place in range(len(suffix) - n_target, len(suffix))]
    return tokens, positions, segments, answers


def batch_cost(model: PreTrainedModel, prompt: PromptTokens) -> int:
    """Return how many tokens of a batch a prompt takes: its row, or its prefix repeated where rows cannot share it."""
    if accepts_position_ids(model):
        return prompt.n_tokens
    return sum(len(prompt.prefix) + len(suffix) - 1 for suffix in prompt.suffixes)


def _answers(per_row: Sequence[Sequence[tuple[int, int]]], device: torch.device) -> Answers:
    triples = [(row, place, token) for row, answers in enumerate(per_row) for place, token in answers]
    rows, places, tokens = torch.tensor(triples, dtype=torch.long).T.to(device)
    return Answers(rows, places, tokens)


@torch.inference_mode()
def target_nlls(model: PreTrainedModel, prompts: Sequence[PromptTokens]) -> list[list[list[float]]]:
    """Return NLLs in nats, float32, by prompt, candidate and target token."""
    if accepts_position_ids(model):
        hidden, answers = _shared_rows(model, prompts)
    else:
        hidden, answers = _expanded_cache(model, prompts)
    nlls = iter(token_nlls(model, hidden[answers.rows, answers.places], answers.tokens).tolist())
    return [[[next(nlls) for _ in range(n)] for n in prompt.n_targets] for prompt in prompts]


def _shared_rows(model: PreTrainedModel, prompts: Sequence[PromptTokens]) -> tuple[Tensor, Answers]:
    """Return hidden states [B, R, D] of shared-prefix rows, and the answers in them."""
    rows = [make_row(prompt) for prompt in prompts]
    device = model.device
    length = max(len(tokens) for tokens, _, _, _ in rows)
    if device.type == "cuda":  # its attention kernels want masks whose rows are aligned
        length += -length % 8

    def padded(values: list[list[int]], filler: int) -> Tensor:
        return torch.tensor([row + [filler] * (length - len(row)) for row in values], device=device)

    tokens = padded([row[0] for row in rows], _PADDING)
    positions = padded([row[1] for row in rows], 0)
    segments = padded([row[2] for row in rows], -1)
    mask = layer_masks(model.config, row_mask(segments, dtype=model.dtype), positions)
    output = model.base_model(input_ids=tokens, position_ids=positions, attention_mask=mask, use_cache=False)
    return output.last_hidden_state, _answers([row[3] for row in rows], device)


def row_mask(segments_br: Tensor, *, dtype: torch.dtype) -> Tensor:
    """Return the additive mask [B, 1, R, R]: a token sees earlier tokens of the prefix and of its own suffix.

    Padding (segment -1) sees padding only, which keeps its softmax finite.
    """
    place = torch.arange(segments_br.shape[1], device=segments_br.device)
    query, key = segments_br[:, :, None], segments_br[:, None, :]
    may_look = ((key == query) | ((key == 0) & (query > 0))) & (place[:, None] >= place[None, :])
    mask = torch.zeros(may_look.shape, dtype=dtype, device=segments_br.device)
    return mask.masked_fill_(~may_look, torch.finfo(dtype).min)[:, None]


def _expanded_cache(model: PreTrainedModel, prompts: Sequence[PromptTokens]) -> tuple[Tensor, Answers]:
    """Return hidden states [sum of candidates, S, D] of suffixes read behind repeated prefix caches, and the answers.

    Prefixes are padded on the left, suffixes on the right; ALiBi models count positions along the attention mask.
    """
    device = model.device
    longest = max(len(prompt.prefix) for prompt in prompts)
    fillers = [longest - len(prompt.prefix) for prompt in prompts]
    prefix = torch.tensor(
        [[_PADDING] * filler + prompt.prefix for filler, prompt in zip(fillers, prompts, strict=True)], device=device
    )
    prefix_mask = (torch.arange(longest)[None] >= torch.tensor(fillers)[:, None]).long().to(device)
    cache = DynamicCache(config=model.config)
    model.base_model(input_ids=prefix, attention_mask=prefix_mask, past_key_values=cache, use_cache=True)
    owner = torch.tensor([row for row, prompt in enumerate(prompts) for _ in prompt.suffixes], device=device)
    cache.batch_select_indices(owner)
    read = [suffix[:-1] for prompt in prompts for suffix in prompt.suffixes]
    width = max(len(suffix) for suffix in read)
    suffixes = torch.tensor([suffix + [_PADDING] * (width - len(suffix)) for suffix in read], device=device)
    lengths = torch.tensor([len(suffix) for suffix in read])
    suffix_mask = (torch.arange(width)[None] < lengths[:, None]).long().to(device)
    mask = torch.cat([prefix_mask[owner], suffix_mask], dim=1)
    output = model.base_model(input_ids=suffixes, attention_mask=mask, past_key_values=cache, use_cache=True)
    per_suffix = [
        [(place - 1, suffix[place]) for place in range(len(suffix) - n_target, len(suffix))]
        for prompt in prompts
        for suffix, n_target in zip(prompt.suffixes, prompt.n_targets, strict=True)
    ]
    return output.last_hidden_state, _answers(per_suffix, device)


def check_against_reference(model: PreTrainedModel, prompts: Sequence[PromptTokens]) -> float:
    """Score a few prompts also one candidate at a time; return the largest difference in nats.

    Raises UsageError when a model sees through the mask or ignores the positions (recurrent models, for example), or
    cannot take them at all.
    """
    difference = 0.0
    with refused(
        f"model type {model.config.model_type} cannot be scored with shared prefixes: it takes neither a mask and "
        "positions of our own nor a cache that is shared"
    ):
        scored = target_nlls(model, prompts)
    for prompt, ours in zip(prompts, scored, strict=True):
        for own, reference in zip(ours, candidate_nlls(model, prompt), strict=True):
            difference = max(difference, *(abs(a - b) for a, b in zip(own, reference, strict=True)))
    if not difference <= _TOLERANCE[model.dtype]:
        raise UsageError(
            f"model type {model.config.model_type} cannot be scored with shared prefixes: target NLLs differ from "
            f"those of separate prompts by {difference:.3g} nats; it must obey a mask and positions"
        )
    return difference
