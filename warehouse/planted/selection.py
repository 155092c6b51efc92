"""The marts' rules of selection on arrays, for machines without a database: who may be selected, shares, budgets.

`dbt_project/models/intermediate/{corpus,selection}` and `marts/selection` are the definition; tests hold this to them,
document for document. Only rules that need no counts are here: original, random_multilingual, planted_truth.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

HELD_OUT_SHARE = 0.01  # the variables of dbt_project.yml, at their defaults
MIN_DOCUMENT_TOKENS = 16
DENSITY_PSEUDO_TOKENS = 100
LANGUAGE_TEMPERATURE = 0.0
MULTILINGUAL_MIN_SHARE = 0.01
UNSHARED = ("mul", "und")
_HASH_DIGITS = 13


@dataclass(frozen=True)
class Documents:
    """Documents of one corpus, one entry each."""

    doc_ids: Ints
    content_hashes: Ints
    langs: npt.NDArray[np.str_]
    n_tokens: Ints

    def __len__(self) -> int:
        return self.doc_ids.size

    def of(self, chosen: Ints | Mask) -> "Documents":
        """Return some of them."""
        return Documents(self.doc_ids[chosen], self.content_hashes[chosen], self.langs[chosen], self.n_tokens[chosen])


def hash_unit(value: int | str, salt: str) -> float:
    """Return the macro `hash_unit`: a number in [0, 1) that depends on value and salt alone."""
    digest = hashlib.md5(f"{salt}:{value}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:_HASH_DIGITS], 16) / (1 << 4 * _HASH_DIGITS)


def hash_units(values: Ints, salt: str) -> Floats:
    """Return `hash_unit` of every value."""
    return np.array([hash_unit(value, salt) for value in values.tolist()], np.float64)


def eligible(documents: Documents, held_out_draws: Floats) -> Mask:
    """Return which documents may be selected: the first copy of a text, long enough, not held out.

    Args:
        held_out_draws: `hash_units` of the content hashes, salt `held_out`.
    """
    order = np.lexsort((documents.doc_ids, documents.content_hashes))
    ordered = documents.content_hashes[order]
    is_first = np.ones(len(documents), bool)
    is_first[order[1:]] = ordered[1:] != ordered[:-1]
    return is_first & (documents.n_tokens >= MIN_DOCUMENT_TOKENS) & (held_out_draws >= HELD_OUT_SHARE)


@dataclass(frozen=True)
class _Share:
    lang: str
    pool: int
    target: float
    full_level: float


def language_shares(documents: Documents, *, is_multilingual: bool) -> list[_Share]:
    """Return each language's share of a budget, the language that runs out first first (`int_language_shares`)."""
    langs, codes = np.unique(documents.langs, return_inverse=True)
    pools = np.bincount(codes, documents.n_tokens).astype(np.int64)
    total = int(pools.sum())
    # group and weight; a group is due what it holds of all tokens, and its members share that by weight
    weighed: list[tuple[str, int, str, int]] = []
    for lang, pool in zip(langs.tolist(), pools.tolist(), strict=True):
        is_alone = lang in UNSHARED or "-" in lang or pool < MULTILINGUAL_MIN_SHARE * total
        if not is_multilingual:
            weighed.append((lang, pool, "all", pool))
        elif is_alone:
            weighed.append((lang, pool, "unshared", pool))
        else:
            weighed.append((lang, pool, "languages", round(1_000_000 * pool**LANGUAGE_TEMPERATURE)))
    shares = []
    for lang, pool, group, weight in weighed:
        of_group = sum(other for _, other, name, _ in weighed if name == group)
        weights = sum(other for _, _, name, other in weighed if name == group)
        target = round(weight / weights * (of_group / total), 12)
        shares.append(_Share(lang, pool, target, pool / target))
    return sorted(shares, key=lambda share: (share.full_level, share.lang))


def smoothed_densities(documents: Documents, n_marked: Ints) -> Floats:
    """Return density shrunk to the language's mean by a pseudo-count of tokens, rounded as the marts round."""
    langs, codes = np.unique(documents.langs, return_inverse=True)
    sums = np.bincount(codes, n_marked, minlength=langs.size)
    means = (sums / np.bincount(codes, documents.n_tokens, minlength=langs.size))[codes]
    smoothed = (n_marked + DENSITY_PSEUDO_TOKENS * means) / (documents.n_tokens + DENSITY_PSEUDO_TOKENS)
    return np.round(smoothed, 12)


def select(documents: Documents, keys: Floats, *, is_multilingual: bool, budget_tokens: int) -> Ints:
    """Return the places of the documents that a budget takes: those with `min_budget_tokens` of at most it.

    Args:
        documents: all eligible ones.
        keys: within a language the smallest is taken first, ties by doc_id.
    """
    shares = language_shares(documents, is_multilingual=is_multilingual)
    taken = []
    for place, share in enumerate(shares):
        own = np.flatnonzero(documents.langs == share.lang)
        own = own[np.lexsort((documents.doc_ids[own], keys[own]))]
        levels = np.cumsum(documents.n_tokens[own]) / share.target
        budgets = np.full(own.size, np.inf)
        for segment in range(place + 1):
            start = shares[segment - 1].full_level if segment else 0.0
            n_full = sum(other.pool for other in shares[:segment])
            open_share = sum(round(other.target * 1e12) for other in shares[segment:]) / 1e12
            inside = (levels > start) & (levels <= shares[segment].full_level)
            budgets[inside] = np.ceil(np.round(n_full + levels[inside] * open_share, 3))
        taken.append(own[budgets <= budget_tokens])
    return np.concatenate(taken) if taken else np.empty(0, np.int64)
