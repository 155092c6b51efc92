"""Few-shot translation prompts (method section 6), assembled from token pieces.

A prompt is cut where a colon meets a space: every byte-level tokenizer splits there before it merges anything, so the
tokens of the pieces, put together, are the tokens of the whole text. Tokenizers of which that is not true (those that
mark words with U+2581 at the start of a text) are recognised on a sample, and their prompts are tokenised whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from tokenizers import Tokenizer

from ml.common.token_text import is_blank
from ml.models.load import leading_special_ids
from ml.translation.eval_set import EvalSet, Query
from ml.translation.shots import N_DRAWS, N_SHOTS, ShotPool
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import text_hash

TEMPLATE = (
    "Please translate words from {L1} to {L2}.\n\n"
    "[{L1}: {shot_source}\n{L2}: {shot_target}\n\n]x5"
    "{L1}: {word}\n{L2}:[ {target}]"
)
TRACE_DRAW = 0  # the shots of prompts that are read layer by layer
_CHECKED_PROMPTS = 64


@dataclass(frozen=True)
class Prompt:
    """One query with the shots of one draw; its ten candidates share everything up to the query's word."""

    query: Query
    draw: int
    shot_item_ids: tuple[int, ...]

    @property
    def key(self) -> tuple[int, str, str, int]:
        return (self.query.item_id, self.query.source_lang, self.query.target_lang, self.draw)


@dataclass(frozen=True)
class PromptTokens:
    """Token ids of a prompt: the shared prefix, and per candidate the rest up to the end of the target word."""

    prefix: list[int]
    suffixes: list[list[int]]
    n_targets: list[int]  # per suffix, how many of its last tokens are the target

    @property
    def n_tokens(self) -> int:
        """Length as a shared-prefix row: the last target token is never an input."""
        return len(self.prefix) + sum(len(suffix) - 1 for suffix in self.suffixes)


def all_prompts(eval_set: EvalSet, *, draws: Sequence[int] = range(N_DRAWS), n_shots: int = N_SHOTS) -> list[Prompt]:
    """Return every prompt of the evaluation set, by item, direction and draw."""
    pools: dict[tuple[str, str], ShotPool] = {}
    prompts = []
    for query in eval_set.queries:
        direction = (query.source_lang, query.target_lang)
        if direction not in pools:
            pools[direction] = ShotPool(eval_set, *direction)
        pool = pools[direction]
        prompts += [Prompt(query, draw, tuple(pool.draw(query, draw, n_shots))) for draw in draws]
    return prompts


class PromptBuilder:
    """Turns prompts into text and tokens for one tokenizer. `what` is translated: words, or sentences."""

    def __init__(self, eval_set: EvalSet, tokenizer: Tokenizer, names: dict[str, str], *, what: str = "words") -> None:
        self._words, self._tokenizer, self._names, self._what = eval_set.words, tokenizer, names, what
        self._specials = leading_special_ids(tokenizer)
        self._pieces: dict[str, list[int]] = {}
        self.assembly = "pieces"

    @property
    def specials(self) -> list[int]:
        """The special tokens that open every prompt (Llama's BOS), as the tokenizer's own template has them."""
        return list(self._specials)

    def prefix_pieces(self, prompt: Prompt) -> list[str]:
        """Return the pieces of everything before the query's word."""
        query = prompt.query
        first, second = self._names[query.source_lang], self._names[query.target_lang]
        pieces = [f"Please translate {self._what} from {first} to {second}.\n\n{first}:"]
        for item_id in prompt.shot_item_ids:
            pieces.append(f" {self._words[query.source_lang][item_id]}\n{second}:")
            pieces.append(f" {self._words[query.target_lang][item_id]}\n\n{first}:")
        return pieces

    def word_piece(self, prompt: Prompt, word: str) -> str:
        """Return the piece that asks for the translation of a word."""
        return f" {word}\n{self._names[prompt.query.target_lang]}:"

    def prompt_hash(self, prompt: Prompt) -> str:
        """Return 32 hex digits of the prefix text."""
        return text_hash("".join(self.prefix_pieces(prompt)))

    def tokenize(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """Return the tokens of prompts. Raises UsageError for a target word without a token."""
        built = self._from_pieces(prompts) if self.assembly == "pieces" else self._from_wholes(prompts)
        for prompt, tokens in zip(prompts, built, strict=True):
            if min(tokens.n_targets) < 1:
                raise UsageError(f"the tokenizer has no tokens for target word {prompt.query.target_word!r}")
        return built

    def check(self, prompts: Sequence[Prompt]) -> str:
        """Compare pieces with whole texts on a sample spread over all prompts; return and keep the assembly to use."""
        every = max(1, len(prompts) // _CHECKED_PROMPTS)
        sample = list(prompts)[::every]
        is_equal = all(
            [p.prefix + s for s in p.suffixes] == [w.prefix + s for s in w.suffixes] and p.n_targets == w.n_targets
            for p, w in zip(self._from_pieces(sample), self._from_wholes(sample), strict=True)
        )
        self.assembly = "pieces" if is_equal else "whole"
        return self.assembly

    def _ids(self, pieces: set[str]) -> dict[str, list[int]]:
        new = sorted(pieces - self._pieces.keys())
        encodings = self._tokenizer.encode_batch(new, add_special_tokens=False)
        self._pieces.update((piece, encoding.ids) for piece, encoding in zip(new, encodings, strict=True))
        return self._pieces

    def _from_pieces(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        prefixes = [self.prefix_pieces(prompt) for prompt in prompts]
        words = [[self.word_piece(prompt, word) for _, word in prompt.query.candidates] for prompt in prompts]
        targets = [f" {prompt.query.target_word}" for prompt in prompts]
        ids = self._ids({piece for pieces in (*prefixes, *words) for piece in pieces} | set(targets))
        built = []
        for prefix, asked, target in zip(prefixes, words, targets, strict=True):
            answer = ids[target]
            built.append(
                PromptTokens(
                    prefix=[*self._specials, *chain.from_iterable(ids[piece] for piece in prefix)],
                    suffixes=[ids[piece] + answer for piece in asked],
                    n_targets=[len(answer)] * len(asked),
                )
            )
        return built

    def _from_wholes(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        built = []
        for prompt in prompts:
            prefix = "".join(self.prefix_pieces(prompt))
            answer = f" {prompt.query.target_word}"
            texts = [prefix + self.word_piece(prompt, word) + answer for _, word in prompt.query.candidates]
            encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
            rows = [self._specials + encoding.ids for encoding in encodings]
            # a token belongs to the target when it ends behind the colon
            n_targets = [
                sum(end > len(text) - len(answer) for _, end in encoding.offsets)
                for text, encoding in zip(texts, encodings, strict=True)
            ]
            shared = _shared_length([row[: len(row) - n] for row, n in zip(rows, n_targets, strict=True)])
            built.append(PromptTokens(rows[0][:shared], [row[shared:] for row in rows], n_targets))
        return built


def informative_prompt(tokenizer: Tokenizer, tokens: PromptTokens) -> list[int]:
    """Return the tokens before the first informative target token of the right candidate: a bare space is passed."""
    suffix, n_target = tokens.suffixes[0], tokens.n_targets[0]
    target = suffix[-n_target:]
    n_blank = 0
    while n_blank < n_target - 1 and is_blank(tokenizer, target[n_blank]):
        n_blank += 1
    return tokens.prefix + suffix[: len(suffix) - n_target + n_blank]


def _shared_length(rows: list[list[int]]) -> int:
    """Return the length of the longest common prefix that leaves every row at least one token before its target."""
    limit = min(len(row) for row in rows) - 1
    for place in range(limit):
        if any(row[place] != rows[0][place] for row in rows):
            return place
    return limit
