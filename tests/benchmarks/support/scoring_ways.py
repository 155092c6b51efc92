"""Three ways to the same numbers, for bench_scoring: the mean target NLL of every candidate of every prompt."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from ml.common.workers import claimed_threads, map_in_order
from ml.translation.prompts import Prompt, PromptBuilder, PromptTokens
from ml.translation.shared_prefix import target_nlls

Scores = list[list[float]]


@dataclass(frozen=True)
class Task:
    """What is scored, with which model. `texts` are (prompt up to the colon, answer) by prompt and candidate."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    tokenizer_file: Path
    builder: PromptBuilder
    prompts: list[Prompt]
    batch_tokens: int

    @property
    def texts(self) -> list[list[tuple[str, str]]]:
        return [
            [
                ("".join(self.builder.prefix_pieces(prompt)) + self.builder.word_piece(prompt, word), answer(prompt))
                for _, word in prompt.query.candidates
            ]
            for prompt in self.prompts
        ]


def answer(prompt: Prompt) -> str:
    """Return what is scored: a space and the target word."""
    return f" {prompt.query.target_word}"


def shared_prefixes(task: Task) -> Scores:
    """This project's way: `ml.translation.shared_prefix`, batched as `ml.score` does."""
    tokens = task.builder.tokenize(task.prompts)
    order = sorted(range(len(tokens)), key=lambda place: -tokens[place].n_tokens)
    batches: list[list[int]] = []
    while order:
        count = max(1, task.batch_tokens // tokens[order[0]].n_tokens)
        batches.append(order[:count])
        order = order[count:]

    def score(batch: list[int]) -> list[list[list[float]]]:
        rows: list[PromptTokens] = [tokens[place] for place in batch]
        return target_nlls(task.model, rows)

    result: Scores = [[] for _ in task.prompts]
    with claimed_threads(task.model.device) as n_workers:
        scored = map_in_order(score, batches, n_workers=n_workers, device=task.model.device)
        for batch, of_batch in zip(batches, scored, strict=True):
            for place, by_candidate in zip(batch, of_batch, strict=True):
                result[place] = [sum(nlls) / len(nlls) for nlls in by_candidate]
    return result


@torch.inference_mode()
def whole_prompts(task: Task) -> Scores:
    """The way of the paper's public scripts: the ten candidates of a prompt are one batch of whole prompts, tokenised
    as text, padded, with logits at every position."""
    result = []
    for candidates in task.texts:
        n_target = len(task.tokenizer.encode(candidates[0][1], add_special_tokens=False).ids)
        texts = [context + continuation for context, continuation in candidates]
        rows = [encoding.ids for encoding in task.tokenizer.encode_batch(texts, add_special_tokens=False)]
        length = max(map(len, rows))
        device = task.model.device
        tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows], device=device)
        logits = task.model(input_ids=tokens, attention_mask=mask, use_cache=False).logits.float()
        losses = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
        result.append(
            [float(losses[place, len(row) - 1 - n_target : len(row) - 1].mean()) for place, row in enumerate(rows)]
        )
    return result


def harness(task: Task, *, batch_size: int) -> Callable[[Task], Scores]:
    """Return the way of lm-evaluation-harness, one loglikelihood request per candidate.

    Raises ImportError when it is not installed.
    """
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(task.tokenizer_file), eos_token=task.tokenizer.id_to_token(0)
    )
    reader: Any = HFLM(pretrained=task.model, tokenizer=tokenizer, batch_size=batch_size, device=str(task.model.device))

    def score(task: Task) -> Scores:
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=number)
            for number, pair in enumerate(pair for candidates in task.texts for pair in candidates)
        ]
        sums = iter(reader.loglikelihood(requests, disable_tqdm=True))
        result = []
        for prompt in task.prompts:
            n_target = len(task.tokenizer.encode(answer(prompt), add_special_tokens=False).ids)
            result.append([-next(sums)[0] / n_target for _ in prompt.query.candidates])
        return result

    return score
