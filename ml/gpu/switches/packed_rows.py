"""Shared-prefix rows of many prompts as one sequence: nothing is padded, and a block mask keeps prompts apart."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.gpu.switches.masks import MaskMod, attention, flex_name, make_mask
from ml.gpu.switches.replaced import replaced
from ml.translation import shared_prefix
from ml.translation.prompts import PromptTokens
from ml.translation.shared_prefix import Answers, make_row

_PADDING = 0
_BLOCK = 128  # of flex attention: the sequence is filled up to a multiple


def packed_mod(owners_r: Tensor, segments_r: Tensor) -> MaskMod:
    """Return the rule: as within a row, and within the own prompt only."""

    def mod(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        asks, asked = segments_r[query], segments_r[key]
        is_visible = (asked == asks) | ((asked == 0) & (asks > 0))
        return is_visible & (owners_r[query] == owners_r[key]) & (query >= key)

    return mod


@contextlib.contextmanager
def packed_rows(model: PreTrainedModel) -> Iterator[None]:
    """Score batches as one packed sequence each."""
    with attention(model, flex_name(model.device)), replaced(shared_prefix, "_shared_rows", _packed):
        yield


def _packed(model: PreTrainedModel, prompts: Sequence[PromptTokens]) -> tuple[Tensor, Answers]:
    """Return hidden states [1, R, D] of all prompts one after another, and the answers in them."""
    tokens: list[int] = []
    positions: list[int] = []
    segments: list[int] = []
    owners: list[int] = []
    answers: list[tuple[int, int]] = []
    for number, prompt in enumerate(prompts):
        own_tokens, own_positions, own_segments, own_answers = make_row(prompt)
        answers += [(len(tokens) + place, token) for place, token in own_answers]
        tokens += own_tokens
        positions += own_positions
        segments += own_segments
        owners += [number] * len(own_tokens)
    n_fillers = -len(tokens) % _BLOCK
    device = model.device

    def filled(values: list[int], filler: int) -> Tensor:
        return torch.tensor(values + [filler] * n_fillers, device=device)

    mod = packed_mod(filled(owners, len(prompts)), filled(segments, -1))
    length = len(tokens) + n_fillers
    output = model.base_model(
        input_ids=filled(tokens, _PADDING)[None],
        position_ids=filled(positions, 0)[None],
        attention_mask=make_mask(mod, 1, length, dtype=model.dtype, device=device),
        use_cache=False,
    )
    places, targets = torch.tensor(answers, dtype=torch.long).T.to(device)
    return output.last_hidden_state, Answers(torch.zeros_like(places), places, targets)
