"""An item's words in every language of the list, as a layer may show them: by their first informative tokens.

A model that is asked for the Japanese word may first say the English one inside. One token stands for a word: the first
that is not blank of `" " + word`, as prompts go on, and of the word alone, as languages without spaces write it.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer
from torch import Tensor

from ml.common.token_text import is_blank
from ml.translation.eval_set import EvalSet, Query
from warehouse.contract.result_schemas import RESULT


class ItemWords:
    """Finds the first informative tokens of the words of items; `languages` are those of the set, sorted."""

    def __init__(self, eval_set: EvalSet, tokenizer: Tokenizer) -> None:
        self._words, self._tokenizer = eval_set.words, tokenizer
        self.languages = sorted(self._words)

    def tokens(self, query: Query) -> list[list[int]]:
        """Return the tokens of the item's word in each of `languages`, ascending; [] where it has none there."""
        words = (self._words[lang].get(query.item_id) for lang in self.languages)
        return [[] if word is None else first_tokens(self._tokenizer, word) for word in words]

    def all_tokens(self, query: Query) -> set[int]:
        """Return every token that is not blank of the item's words, whatever their language."""
        words = (self._words[lang].get(query.item_id) for lang in self.languages)
        return {token for word in words if word is not None for token in word_tokens(self._tokenizer, word)}


def first_tokens(tokenizer: Tokenizer, word: str) -> list[int]:
    """Return the first token that is not blank of each form of a word, `" " + w` and `w`: one or two, ascending."""
    forms = (tokenizer.encode(form, add_special_tokens=False).ids for form in (f" {word}", word))
    firsts = ((token for token in form if not is_blank(tokenizer, token)) for form in forms)
    return sorted({token for first in firsts if (token := next(first, None)) is not None})


def word_tokens(tokenizer: Tokenizer, word: str) -> list[int]:
    """Return the distinct tokens of both forms of a word, `w` and `" " + w`, blank ones left out, ascending."""
    ids = {
        *tokenizer.encode(word, add_special_tokens=False).ids,
        *tokenizer.encode(f" {word}", add_special_tokens=False).ids,
    }
    return sorted(token for token in ids if not is_blank(tokenizer, token))


def read_words(log_probs_bv: Tensor, tokens: Sequence[list[list[int]]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return summed probabilities and best ranks (1 = likeliest) of words: [row][language], None without a word.

    Args:
        log_probs_bv: [B, V] of one layer.
        tokens: [row][language] -> the word's tokens.
    """
    n_languages = max(map(len, tokens), default=0)
    width = max((len(ids) for row in tokens for ids in row), default=0)
    if not width:
        nothing: list[list[Any]] = [[None] * n_languages for _ in tokens]
        return nothing, nothing
    padded = [[ids + [-1] * (width - len(ids)) for ids in row] for row in tokens]
    ids_blw = torch.tensor(padded, device=log_probs_bv.device)
    rows = torch.arange(len(tokens), device=log_probs_bv.device)[:, None, None]
    values = log_probs_bv[rows, ids_blw.clamp(min=0)].masked_fill(ids_blw < 0, -torch.inf)
    p_bl, best_bl = values.exp().sum(dim=-1), values.max(dim=-1).values
    # one language at a time: with all of them the comparison of a large batch would not fit
    ranks = [(log_probs_bv > best_bl[:, lang, None]).sum(dim=-1) + 1 for lang in range(n_languages)]
    ranks_bl = torch.stack(ranks, dim=1)

    def known(numbers: list[list[Any]]) -> list[list[Any]]:
        return [
            [number if ids else None for number, ids in zip(row, of_row, strict=True)]
            for row, of_row in zip(numbers, tokens, strict=True)
        ]

    return known(p_bl.tolist()), known(ranks_bl.tolist())


def word_rows(rows: pa.Table, languages: Sequence[str]) -> pa.Table:
    """Return rows of `layer_words` from trace rows with a list per language: word_ps, word_ranks, words_shared.

    A language without a word has no row.
    """
    n_rows, n_languages = rows.num_rows, len(languages)
    parents = pa.array([row for row in range(n_rows) for _ in languages], pa.int64())
    keys = rows.select(["run_id", "item_id", "source_lang", "target_lang", "layer"]).take(parents)
    flat = {name: rows[name].combine_chunks().flatten() for name in ("word_ps", "word_ranks", "words_shared")}
    assert all(len(values) == n_rows * n_languages for values in flat.values())
    expanded = keys.append_column("lang", pa.array([*languages] * n_rows, pa.string()))
    expanded = expanded.append_column("p", flat["word_ps"]).append_column("word_rank", flat["word_ranks"])
    expanded = expanded.append_column("shares_token", flat["words_shared"])
    return expanded.filter(expanded["p"].is_valid()).select(RESULT["layer_words"].names)
