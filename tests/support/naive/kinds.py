"""Kinds of documents, and the strategies that give every document a key: loops, nothing of the product's code."""

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass

from support.corpora.random_rows import VARIABLES, Corpus, Document, hash_unit, items, token_starts


@dataclass(frozen=True)
class Kind:
    """A row of fct_document_kinds."""

    document_kind: str
    second_lang_share: float
    interleaving: float | None
    n_switches: int
    translated_share: float | None


def token_homes(corpus: Corpus) -> dict[int, str]:
    """Return {token_id: language}, by the documents of one language."""
    alone = [d for d in corpus.documents if "-" not in d.lang and d.lang not in ("und", "mul")]
    n_units = Counter(d.lang for d in alone)
    holding: dict[int, Counter[str]] = defaultdict(Counter)
    for d in alone:
        for token in set(d.token_ids):
            holding[token][d.lang] += 1
    homes = {}
    for token, by_lang in holding.items():
        rates = {lang: round(1e9 * n / n_units[lang]) for lang, n in by_lang.items()}
        for lang, n in by_lang.items():
            sure = round(1e9 * (n - math.sqrt(n)) / n_units[lang])
            share = sure / (sure + sum(rates.values()) - rates[lang]) if len(rates) > 1 or sure else 0
            if share >= VARIABLES["bridge_min_language_share"] and share > 0.5:
                homes[token] = lang
    return homes


def kinds(corpus: Corpus) -> dict[int, Kind]:
    """Return {doc_id: kind} of all documents."""
    homes = token_homes(corpus)
    return {d.doc_id: _kind(d, homes) for d in corpus.documents}


def _kind(document: Document, homes: dict[int, str]) -> Kind:
    at_home = Counter(homes[t] for t in document.token_ids if t in homes)
    best = sorted(at_home, key=lambda lang: (-at_home[lang], lang))[:2]
    if len(best) < 2:
        return Kind("monolingual", 0, None, 0, None)
    main, second = best
    share = at_home[second] / (at_home[main] + at_home[second])
    if share < VARIABLES["kind_min_second_share"]:
        return Kind("monolingual", share, None, 0, None)
    size = VARIABLES["kind_window_tokens"]
    windows = [
        Counter(homes.get(t) for t in document.token_ids[start : start + size])
        for start in range(0, len(document.token_ids), size)
    ]
    interleaving = sum(min(w[main], w[second]) for w in windows) / at_home[second]
    leaning = [w[main] > w[second] for w in windows if w[main] != w[second]]
    n_switches = sum(a != b for a, b in itertools.pairwise(leaning))
    n_pairable, translated = _translated(document, main, second)
    if n_switches < 2 and interleaving < VARIABLES["kind_min_interleaving"]:
        kind = "mixed"
    elif (
        n_switches >= 2
        and translated is not None
        and n_pairable >= VARIABLES["kind_min_pairable_words"]
        and translated >= VARIABLES["kind_min_translated_share"]
    ):
        kind = "parallel"
    elif interleaving >= VARIABLES["kind_min_interleaving"]:
        kind = "code_switched"
    elif (
        translated is not None
        and n_pairable >= VARIABLES["kind_telling_words"]
        and translated < VARIABLES["kind_max_chance_share"]
    ):
        kind = "mixed"
    else:
        kind = "parallel"
    return Kind(kind, share, interleaving, n_switches, translated)


def _translated(document: Document, main: str, second: str) -> tuple[int, float | None]:
    """Return the occurrences of words in the language with fewer, and the share of them beside their translation."""
    totals: Counter[str] = Counter()
    pieces: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for item, lang, word in set(items()):
        if lang in (main, second) and hash_unit(item, "word_split") >= 0.5 and word in document.words:
            for start in token_starts(document, word):
                totals[lang] += 1
                pieces[item, start // VARIABLES["kind_pair_tokens"]][lang] += 1
    n_pairable = min(totals[main], totals[second])
    met = sum(min(c[main], c[second]) for c in pieces.values())
    return n_pairable, met / n_pairable if n_pairable else None


def by_kind(documents: list[Document], known: dict[int, Kind], kind: str) -> list[Document]:
    """Return the documents, those of a kind first, then those in one language, each at random."""
    place = {kind: 0, "monolingual": 1}

    def key(d: Document) -> tuple[float, int]:
        return place.get(known[d.doc_id].document_kind, 2) + hash_unit(d.doc_id, f"{kind}:0"), d.doc_id

    return sorted(documents, key=key)


def without_mixed(documents: list[Document], known: dict[int, Kind]) -> list[Document]:
    """Return the documents in one language alone, at random."""
    alone = [d for d in documents if known[d.doc_id].document_kind == "monolingual"]
    return sorted(alone, key=lambda d: (hash_unit(d.doc_id, "no_mixed:0"), d.doc_id))


def noise(document: Document, salt: str) -> float:
    """Return the Gumbel noise of a document, negated."""
    return math.log(-math.log(1 - hash_unit(document.doc_id, salt)))


def weighted(documents: list[Document], density: dict[int, float]) -> list[Document]:
    """Return the documents drawn by density ^ (1 / temperature)."""

    def key(d: Document) -> tuple[float, int]:
        logit = math.log(density[d.doc_id]) / VARIABLES["density_temperature"] if density[d.doc_id] else 0
        return round(noise(d, "weighted_density:0") - logit, 9), d.doc_id

    return sorted(documents, key=key)


def features(token_ids: list[int]) -> list[int]:
    """Return the buckets of tokens and of pairs of neighbours."""
    n_buckets = VARIABLES["dsir_buckets"]
    pairs = itertools.pairwise(token_ids)
    return [t * 7919 % n_buckets for t in token_ids] + [(a * 1000003 + b * 31 + 1) % n_buckets for a, b in pairs]


def importance_drawn(documents: list[Document], known: dict[int, Kind]) -> list[Document]:
    """Return the documents drawn by importance for the parallel ones; none where there are none."""
    n_buckets = VARIABLES["dsir_buckets"]
    raw = Counter(b for d in documents for b in features(d.token_ids))
    targets = [d for d in documents if known[d.doc_id].document_kind == VARIABLES["dsir_target"]]
    target = Counter(b for d in targets for b in features(d.token_ids))
    if not target:
        return []
    weight = {
        b: math.log((target[b] + 1) / (target.total() + n_buckets)) - math.log((n + 1) / (raw.total() + n_buckets))
        for b, n in raw.items()
    }

    def key(d: Document) -> tuple[float, int]:
        logit = sum(round(1e6 * weight[b]) for b in features(d.token_ids)) / 1e6
        return round(noise(d, "dsir:0") - logit, 9), d.doc_id

    return sorted(documents, key=key)
