"""Small random corpora, their raw tables, and naive counts of them: loops over sets, nothing of the product's code."""

import hashlib
import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

TOKENIZER = "toy-tokenizer"
N_TOKENS = 60
SPECIAL, BLANK = 0, 1
LANGUAGES = ["en", "fr", "ja", "zh"]
N_ITEMS = 12
# Small enough that every threshold, cut and cap of the models does something on corpora of some hundred documents.
VARIABLES: dict[str, Any] = {
    "kind_window_tokens": 4,
    "kind_min_second_share": 0.2,
    "kind_min_interleaving": 0.6,
    "kind_min_translated_share": 0.5,
    "kind_min_pairable_words": 2,
    "kind_max_chance_share": 0.02,
    "max_candidates": 12,
    "quality_top_ks": [1, 3, 10],
    "quality_min_units": 4,
    "pivot_set_max_share": 0.5,
    "pairs_top_k": 4,
    "pairs_size": 15,
    "pairs_min_score": 1.0,
    "pairs_paper_top_k": 6,
    "adjacency_threshold": 0.05,
    "adjacency_size": 20,
    "adjacency_small_size": 5,
    "bridge_min_z": 0.5,
    "bridge_min_units": 5,
    "bridge_min_joint_units": 2,
    "bridge_min_language_share": 0.4,
    "bridge_size": 20,
    "bridge_small_size": 5,
    "maxz_size": 12,
    "maxz_small_size": 4,
    "maxz_max_share": 0.15,
    "held_out_share": 0.1,
    "min_document_tokens": 4,
    "density_pseudo_tokens": 20,
    "bridging_set": "bridge_small",
    "coverage_neighbours_per_language": 2,
    "coverage_passes": 3,
    "bridging_window_tokens": 8,
    "kind_pair_tokens": 16,
    "kind_telling_words": 3,
    "density_temperature": 0.5,
    "dsir_target": "parallel",
    "dsir_buckets": 101,
    "language_temperature": 0.3,
    "multilingual_min_share": 0.15,
    "summary_budget_share": 0.3,
}


@dataclass(frozen=True)
class Document:
    doc_id: int
    lang: str
    content_hash: int
    token_ids: list[int]
    words: dict[int, int]  # word_id -> matches


@dataclass
class Corpus:
    """A corpus and its units, which are its documents (duplicates are units too)."""

    name: str
    documents: list[Document]
    planted: dict[int, list[int | None]] = field(default_factory=dict)  # item_id -> pivot tokens

    @property
    def n_units(self) -> int:
        return len(self.documents)

    def stratum(self, document: Document) -> tuple[str, int]:
        return document.lang, math.floor(2 * math.log2(len(set(document.token_ids))))

    def strata(self) -> Counter[tuple[str, int]]:
        return Counter(self.stratum(d) for d in self.documents)

    def with_token(self, token_id: int) -> set[int]:
        return {d.doc_id for d in self.documents if token_id in d.token_ids}

    def with_word(self, word_id: int) -> set[int]:
        return {d.doc_id for d in self.documents if word_id in d.words}

    def by_stratum(self, doc_ids: set[int]) -> Counter[tuple[str, int]]:
        return Counter(self.stratum(d) for d in self.documents if d.doc_id in doc_ids)


def word_id(item: int, lang: str) -> int:
    return 1000 + 10 * item + LANGUAGES.index(lang)


def word_forms(item: int, lang: str) -> dict[str, list[int]]:
    """Return how the toy tokenizer writes a word: some in one token, some in two, some forms alike."""
    base = 2 + (4 * item + LANGUAGES.index(lang)) % (N_TOKENS - 4)
    bare = [base] if item % 3 else [base, base + 1]
    return {"bare": bare, "spaced": bare if item % 2 else [base + 2]}


def items() -> list[tuple[int, str, int]]:
    """Return (item_id, lang, word_id); the last item lacks a language, the first shares a word with the second."""
    rows = [(900 + i, lang, word_id(i, lang)) for i in range(N_ITEMS) for lang in LANGUAGES]
    rows.remove((900 + N_ITEMS - 1, "zh", word_id(N_ITEMS - 1, "zh")))
    rows[0] = (900, "en", word_id(1, "en"))
    return rows


def hash_unit(value: Any, salt: str) -> float:
    return int(hashlib.md5(f"{salt}:{value}".encode()).hexdigest()[:13], 16) / 2**52


def token_starts(document: Document, word: int) -> list[int]:
    """Return where the matches of a word stand: anywhere, the words of an item near each other."""
    size = len(document.token_ids)
    return sorted((word // 10 * 7 + word % 10 + 23 * match) % size for match in range(document.words[word]))


def make_corpus(name: str, seed: int, *, n_docs: int, languages: list[str], planted: bool = False) -> Corpus:
    """Draw documents in which words pull some tokens with them; a tenth are exact copies of earlier ones."""
    draw = random.Random(seed)
    documents: list[Document] = []
    for number in range(n_docs):
        doc_id = draw.getrandbits(62)
        if documents and draw.random() < 0.1:
            copied = draw.choice(documents)
            documents.append(Document(doc_id, copied.lang, copied.content_hash, copied.token_ids, copied.words))
            continue
        lang = draw.choice(languages)
        offset = 7 * LANGUAGES.index(lang[:2]) if lang[:2] in LANGUAGES else 0
        length = draw.choice([1, 4, 8, 15, 30, 60])
        tokens = [
            BLANK if draw.random() < 0.1 else 2 + (offset + int(draw.expovariate(0.12))) % 58 for _ in range(length)
        ]
        words: dict[int, int] = {}
        for item in draw.sample(range(N_ITEMS - 1), draw.choice([0, 0, 1, 2, 4])):
            for language in draw.sample(LANGUAGES, draw.choice([1, 1, 2])):
                words[word_id(item, language)] = draw.choice([1, 1, 3])
                tokens += [2 + (11 * item) % 58] * draw.choice([0, 1, 2])
        documents.append(Document(doc_id, lang, 10**12 * seed + number, tokens, words))
    truth: dict[int, list[int | None]] = {900 + i: [2 + (11 * i) % 58, 3 + i] for i in range(5)} if planted else {}
    if planted:
        truth[905] = [None]
    return Corpus(name, documents, truth)


def make_corpora() -> list[Corpus]:
    """Four corpora that share a vocabulary: balanced with truth, mixed codes, one language, hardly anything."""
    return [
        make_corpus("balanced", 1, n_docs=400, languages=["en", "fr", "ja", "zh"], planted=True),
        make_corpus("mixed", 2, n_docs=250, languages=["en", "en", "en", "fr", "en-fr", "en-zh", "und", "mul"]),
        make_corpus("single", 3, n_docs=120, languages=["ja"]),
        make_corpus("tiny", 4, n_docs=3, languages=["en", "fr"]),
    ]


def expected_units(corpus: Corpus, a: set[int], b: set[int]) -> float:
    """Return E = sum over strata of n_k(a) n_k(b) / N_k."""
    in_a, in_b = corpus.by_stratum(a), corpus.by_stratum(b)
    return math.fsum(in_a[k] * in_b[k] / n for k, n in corpus.strata().items())


def write_vocabulary(home: Home) -> None:
    """Write tokens, words, forms and items, which all corpora of the home share."""
    write_raw(
        home,
        "tokens",
        [
            {
                "tokenizer_hash": TOKENIZER,
                "token_id": t,
                "token": f"t{t}",
                "n_bytes": 1,
                "script": "Latin",
                "is_special": t == SPECIAL,
                "is_blank": t == BLANK,
            }
            for t in range(N_TOKENS)
        ],
    )
    rows = items()
    used = sorted({(w, lang) for _, lang, w in rows})
    write_raw(home, "words", [{"word_id": w, "lang": lang, "word": f"w{w}"} for w, lang in used])
    forms = [
        {"tokenizer_hash": TOKENIZER, "word_id": word_id(i, lang), "form": form, "token_ids": ids}
        for i in range(N_ITEMS)
        for lang in LANGUAGES
        for form, ids in word_forms(i, lang).items()
    ]
    write_raw(home, "word_token_forms", forms)
    write_raw(home, "translation_items", [{"item_id": i, "lang": lang, "word_id": w} for i, lang, w in rows])


def write_corpus(home: Home, corpus: Corpus) -> None:
    """Write a corpus's documents and its naive counts as raw tables."""
    name = corpus.name
    write_raw(home, "corpora", [{"corpus": name, "tokenizer_hash": TOKENIZER, "vocab_size": N_TOKENS}], corpus=name)
    documents = [
        {
            "corpus": name,
            "shard_id": "s",
            "doc_id": d.doc_id,
            "source_id": str(d.doc_id),
            "source": "",
            "source_file": "toy",
            "line_number": n,
            "lang": d.lang,
            "lang_source": "metadata",
            "content_hash": d.content_hash,
            "n_chars": len(d.token_ids),
            "n_bytes": len(d.token_ids),
            "n_tokens": len(d.token_ids),
            "token_ids": d.token_ids,
        }
        for n, d in enumerate(corpus.documents)
    ]
    write_raw(home, "documents", documents, corpus=name)
    matches = [
        {"corpus": name, "shard_id": "s", "doc_id": d.doc_id, "word_id": w, "match_policy": "text", "n_matches": m}
        | {"token_starts": token_starts(d, w)}
        for d in corpus.documents
        for w, m in d.words.items()
    ]
    # the same matches under another policy must not count
    write_raw(home, "word_documents", matches + [m | {"match_policy": "token"} for m in matches], corpus=name)
    if corpus.planted:
        concepts = [{"corpus": name, "item_id": i, "kind": "pivot", "role": "test"} for i in corpus.planted]
        write_raw(home, "planted_concepts", concepts, corpus=name)
        pivots = [
            {"corpus": name, "item_id": i, "pivot_word": f"p{t}", "token_id": t}
            for i, tokens in corpus.planted.items()
            for t in tokens
        ]
        write_raw(home, "planted_pivots", pivots, corpus=name)
    _write_counts(home, corpus)


def _write_counts(home: Home, corpus: Corpus) -> None:
    def write(table: str, rows: list[dict[str, Any]]) -> None:
        write_raw(home, table, [row | {"corpus": corpus.name} for row in rows], corpus=corpus.name)

    strata = corpus.strata()
    tokens = {t: docs for t in range(N_TOKENS) if (docs := corpus.with_token(t))}
    words = {w: docs for w in sorted({w for _, _, w in items()}) if (docs := corpus.with_word(w))}
    n_tokens = sum(len(d.token_ids) for d in corpus.documents)
    write("counts", [{"count_id": "toy", "unit": "document", "n_units": corpus.n_units, "n_tokens": n_tokens}])
    write("strata", [{"lang": k[0], "length_bin": k[1], "n_docs": n} for k, n in strata.items()])
    for table, key, sets in [("token_documents", "token_id", tokens), ("word_strata", "word_id", words)]:
        rows = [
            {"lang": k[0], "length_bin": k[1], key: member, "n_docs": n}
            for member, docs in sets.items()
            for k, n in corpus.by_stratum(docs).items()
        ]
        write(table, rows)

    item_words: dict[int, list[int]] = {}
    for item, _, word in items():
        item_words.setdefault(item, []).append(word)
    meetings = {
        (a, b): n
        for members in item_words.values()
        for a, b in itertools.combinations(sorted(members), 2)
        if (n := len(words.get(a, set()) & words.get(b, set())))
    }
    write("word_pairs", [{"word_id_a": a, "word_id_b": b, "n_docs": n} for (a, b), n in meetings.items()])

    rows = []
    for word, word_docs in words.items():
        for token, token_docs in tokens.items():
            n, expected = len(word_docs & token_docs), expected_units(corpus, word_docs, token_docs)
            if n and (n / len(word_docs) > len(token_docs) / corpus.n_units or n > expected):
                of_word, of_token = corpus.by_stratum(word_docs), corpus.by_stratum(token_docs)
                variance = math.fsum(
                    of_word[k] * (of_token[k] / size) * (1 - of_token[k] / size) for k, size in strata.items()
                )
                rows.append(
                    {"word_id": word, "token_id": token, "n_docs": n, "expected_n_docs": expected, "variance": variance}
                )
    write("word_tokens", rows)

    rows = []
    for (a, docs_a), (b, docs_b) in itertools.combinations(tokens.items(), 2):
        if n := len(docs_a & docs_b):
            of_a, of_b = corpus.by_stratum(docs_a), corpus.by_stratum(docs_b)
            shares = {k: (of_a[k] / size) * (of_b[k] / size) for k, size in strata.items()}
            rows.append(
                {
                    "token_id_a": a,
                    "token_id_b": b,
                    "n_docs": n,
                    "expected_n_docs": expected_units(corpus, docs_a, docs_b),
                    "variance": math.fsum(size * shares[k] * (1 - shares[k]) for k, size in strata.items()),
                }
            )
    write("token_pairs", rows)
