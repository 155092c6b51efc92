"""Arms of the planted experiment as training exports, straight from the generator: no lake, no database.

    python -m warehouse.planted.arms arms --out DIR --tokenizer FILE --seed S --corpus-tokens N --budget-tokens B
    python -m warehouse.planted.arms base --out DIR --tokenizer FILE --seed S --blocks N [--setting NAME]
    python -m warehouse.planted.arms evaluation --out DIR --tokenizer FILE

An arm holds the documents that `pivots export` would give it for a corpus named `planted-<seed>` (rules in
`selection`; a test compares). `no_mixed` knows from the generator which documents hold two languages. Arms that rank by
counts (`pivot_aware`) or by matches of the list's words (`word_density`) need the warehouse and are not made here.
"""

import argparse
import hashlib
import json
import multiprocessing
import tempfile
import unicodedata
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from warehouse.base.machine import available_threads
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.contract.tokenizer_identity import tokenizer_hash as identify_tokenizer
from warehouse.lake.identity import content_hash, doc_id, item_id
from warehouse.planted.documents import BLOCK_DOCS, MIXED, block_documents
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.natural_mixture import write_natural_mixture
from warehouse.planted.selection import Documents, Mask, eligible, hash_unit, select, smoothed_densities
from warehouse.planted.settings import find_setting
from warehouse.planted.tokenizer import END_OF_TEXT
from warehouse.planted.world import TRAIN, concepts, word_records

ARMS = ("original", "random_multilingual", "no_mixed", "planted_truth")
_DOCUMENT_TOKENS = 31  # about, with this world's tokenizer
_DRAWS = ("held_out", "original", "random_multilingual", "no_mixed")  # salts of hash_unit
_SELECTION_SEED = 0


@dataclass(frozen=True)
class _Planted:
    """A planted corpus in memory: its documents, their tokens one after another, and the draws that choose them."""

    documents: Documents
    tokens: np.ndarray  # uint16
    starts: np.ndarray  # int64[documents + 1]
    n_bytes: np.ndarray
    n_pivots: np.ndarray  # true pivots in each document
    is_mixed: Mask
    draws: dict[str, np.ndarray]
    order: np.ndarray  # places, in the order of every export


def write_arms(
    out: Path,
    *,
    tokenizer_file: Path,
    seed: int,
    corpus_tokens: int,
    budget_tokens: int,
    arms: tuple[str, ...] = ARMS,
) -> None:
    """Plant a corpus and write arms of it as `<out>/<arm>`, an export folder, unless it is there already."""
    if all((out / arm / "manifest.json").exists() for arm in arms):
        return
    n_blocks = max(1, round(corpus_tokens / (_DOCUMENT_TOKENS * BLOCK_DOCS)))
    with tempfile.TemporaryDirectory() as scratch:
        corpus = _plant(Path(scratch), tokenizer_file, seed, n_blocks)
    for arm in arms:
        if not (out / arm / "manifest.json").exists():
            chosen = choose(corpus, arm, budget_tokens)
            request = {"corpus": f"planted-{seed}", "strategy": arm, "budget_tokens": budget_tokens, "seed": seed}
            _write_export(out / arm, corpus, chosen, tokenizer_file, request | {"n_blocks": n_blocks})


def choose(corpus: _Planted, arm: str, budget_tokens: int) -> np.ndarray:
    """Return the places of an arm's documents."""
    is_eligible = eligible(corpus.documents, corpus.draws["held_out"])
    if arm == "no_mixed":
        is_eligible &= ~corpus.is_mixed
    places = np.flatnonzero(is_eligible)
    documents = corpus.documents.of(places)
    if arm == "planted_truth":
        keys = -smoothed_densities(documents, corpus.n_pivots[places])
    else:
        keys = corpus.draws[arm][places]
    taken = select(documents, keys, is_multilingual=arm != "original", budget_tokens=budget_tokens)
    return places[taken]


def _plant(scratch: Path, tokenizer_file: Path, seed: int, n_blocks: int) -> _Planted:
    """Generate and tokenise all blocks, on all cores."""
    jobs = [(scratch, tokenizer_file, seed, block) for block in range(n_blocks)]
    n_workers = min(available_threads(), n_blocks)
    if n_workers < 2:
        names = [_plant_block(*job) for job in jobs]
    else:
        with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            names = list(pool.map(_plant_block, *zip(*jobs, strict=True)))
    blocks = [np.load(scratch / name) for name in names]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([block[name] for block in blocks])

    n_tokens = joined("n_tokens")
    documents = Documents(joined("doc_ids"), joined("content_hashes"), joined("langs"), n_tokens)
    # a copy of a mixed document is one, too
    mixed_texts = np.unique(documents.content_hashes[joined("is_mixed")])
    return _Planted(
        documents=documents,
        tokens=joined("tokens"),
        starts=np.concatenate([[0], np.cumsum(n_tokens)]),
        n_bytes=joined("n_bytes"),
        n_pivots=joined("n_pivots"),
        is_mixed=np.isin(documents.content_hashes, mixed_texts),
        draws={salt: joined(f"draw_{salt}") for salt in _DRAWS},
        order=np.lexsort((documents.doc_ids, joined("order_low"), joined("order_high"))),
    )


def _plant_block(scratch: Path, tokenizer_file: Path, seed: int, block: int) -> str:
    """Write the arrays of one block; return the file's name."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    planted = block_documents(find_setting("default"), seed, block)
    texts = [unicodedata.normalize("NFC", document.text) for document in planted]
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    first = block * BLOCK_DOCS
    corpus = f"planted-{seed}"
    ids = [doc_id(corpus, "planted", f"{corpus}-{first + place:09d}") for place in range(len(planted))]
    hashes = [content_hash(text) for text in texts]
    pivots = np.array(sorted(true_pivots(tokenizer)), np.uint16)
    tokens = np.concatenate([np.array(own, np.uint16) for own in encoded])
    n_tokens = np.array([len(own) for own in encoded], np.int64)
    in_document = np.repeat(np.arange(len(planted)), n_tokens)
    digests = [hashlib.md5(str(number).encode(), usedforsecurity=False).digest() for number in ids]
    salts = {salt: f"{salt}:{_SELECTION_SEED}" for salt in _DRAWS if salt != "held_out"}
    name = f"block-{block:06d}.npz"
    # NumPy's stubs take a `**` of arrays for its option allow_pickle, too
    draws: dict[str, Any] = {
        f"draw_{salt}": np.array([hash_unit(value, text) for value in ids]) for salt, text in salts.items()
    }
    np.savez(
        scratch / name,
        doc_ids=np.array(ids, np.int64),
        content_hashes=np.array(hashes, np.int64),
        langs=np.array([document.lang for document in planted]),
        n_tokens=n_tokens,
        tokens=tokens,
        n_bytes=np.array([len(text.encode()) for text in texts], np.int64),
        n_pivots=np.bincount(in_document[np.isin(tokens, pivots)], minlength=len(planted)).astype(np.int64),
        is_mixed=np.array([document.form == MIXED for document in planted]),
        order_high=np.array([int.from_bytes(digest[:8], "big") for digest in digests], np.uint64),
        order_low=np.array([int.from_bytes(digest[8:], "big") for digest in digests], np.uint64),
        draw_held_out=np.array([hash_unit(value, "held_out") for value in hashes]),
        **draws,
    )
    return name


def true_pivots(tokenizer: Tokenizer) -> set[int]:
    """Return the tokens of the planted pivots, in the form in which they stand in text."""
    encoded = (tokenizer.encode(f" {pivot}", add_special_tokens=False).ids for c in concepts() for pivot in c.pivots)
    return {ids[0] for ids in encoded if len(ids) == 1}


def _write_export(
    folder: Path, corpus: _Planted, chosen: np.ndarray, tokenizer_file: Path, request: dict[str, Any]
) -> None:
    """Write documents as `pivots export` does: one part, in the order of every export."""
    is_chosen = np.zeros(len(corpus.documents), bool)
    is_chosen[chosen] = True
    places = corpus.order[is_chosen[corpus.order]]
    lengths = corpus.documents.n_tokens[places]
    ends = np.cumsum(lengths + 1)
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    eos = tokenizer.token_to_id(END_OF_TEXT)
    tokens = np.full(int(ends[-1]) if ends.size else 0, eos, np.dtype("<u2"))
    inside = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tokens[np.repeat(ends - lengths - 1, lengths) + inside] = corpus.tokens[
        np.repeat(corpus.starts[places], lengths) + inside
    ]
    langs = corpus.documents.langs[places]
    spans = pa.table(
        {
            "doc_id": pa.array(corpus.documents.doc_ids[places]),
            "lang": pa.array(langs.tolist(), pa.string()),
            "start": pa.array(ends - lengths - 1),
            "end": pa.array(ends),
            "n_bytes": pa.array(corpus.n_bytes[places]),
        }
    )
    by_lang = {lang: int((lengths + 1)[langs == lang].sum()) for lang in np.unique(langs).tolist()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder.absolute()) as unfinished:
        tokens.tofile(unfinished / "part-00000.npy")
        pq.write_table(spans, unfinished / "part-00000.documents.parquet", compression="zstd")
        (unfinished / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
        tokenizer_hash = identify_tokenizer(tokenizer_file.read_bytes())
        shard = {
            "tokens": "part-00000.npy",
            "documents": "part-00000.documents.parquet",
            "n_docs": int(places.size),
            "n_tokens": int(tokens.size),
            "blake2b": file_hash(unfinished / "part-00000.npy"),
        }
        manifest = request | {
            "export_id": f"{request['corpus']}-{request['strategy']}-{short_hash([request, tokenizer_hash])}",
            "tokenizer_hash": tokenizer_hash,
            "eos_token_id": eos,
            "dtype": "uint16",
            "n_docs": int(places.size),
            "n_tokens": int(tokens.size),
            "tokens_by_lang": by_lang,
            "shards": [shard],
        }
        (unfinished / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def write_evaluation_set(out: Path, *, tokenizer_file: Path, n_items: int | None = None) -> None:
    """Write the planted list as an evaluation set: all items as shots, those that no glossary holds to be scored.

    Args:
        n_items: score at most N, the first ones.
    """
    if (out / "manifest.json").exists():
        return
    items: list[dict[str, Any]] = []
    candidates: list[dict[str, Any]] = []
    n_scored = 0
    for concept, record in zip(concepts(), word_records(), strict=True):
        words = dict(zip(LANGUAGES, concept.words, strict=True))
        number = item_id(words)
        items += [{"item_id": number, "lang": lang, "word": word} for lang, word in words.items()]
        if concept.role == TRAIN or n_scored == n_items:
            continue
        n_scored += 1
        for source in LANGUAGES:
            for target in (lang for lang in LANGUAGES if lang != source):
                # a record of the target's word holds its distractors in the source language
                wrong = [word for word in record[target][source] if word != words[source]]
                for place, word in enumerate([words[source], *wrong]):
                    key = {"item_id": number, "source_lang": source, "target_lang": target}
                    candidates.append(key | {"candidate": place, "word": word})
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out.absolute()) as folder:
        pq.write_table(pa.Table.from_pylist(items), folder / "items.parquet", compression="zstd")
        pq.write_table(pa.Table.from_pylist(candidates), folder / "candidates.parquet", compression="zstd")
        (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
        tokenizer_hash = identify_tokenizer(tokenizer_file.read_bytes())
        kinds = {str(item_id(dict(zip(LANGUAGES, c.words, strict=True)))): c.kind for c in concepts()}
        manifest = {
            "eval_set_id": f"eval-{short_hash([tokenizer_hash, candidates])}",
            "corpus": "planted",
            "tokenizer_hash": tokenizer_hash,
            "n_items": n_scored,
            "languages": sorted(LANGUAGES),
            "n_pivots": 0,
            "content": {},
            "kinds": kinds,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def main(argv: list[str] | None = None) -> None:
    """Write arms, a base corpus or the evaluation set."""
    parser = argparse.ArgumentParser(prog="warehouse.planted.arms", description="The planted experiment's inputs.")
    parser.add_argument("what", choices=["arms", "base", "evaluation"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus-tokens", type=int, default=4_200_000)
    parser.add_argument("--budget-tokens", type=int, default=300_000)
    parser.add_argument("--arms", default=",".join(ARMS), help="names, with commas")
    parser.add_argument("--items", type=int)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--setting", default="default", help="of the base's corpus")
    given = parser.parse_args(argv)
    if given.what == "evaluation":
        write_evaluation_set(given.out, tokenizer_file=given.tokenizer, n_items=given.items)
    elif given.what == "base":
        write_natural_mixture(
            given.out,
            tokenizer_file=given.tokenizer,
            n_blocks=given.blocks,
            seed=given.seed,
            setting=given.setting,
        )
    else:
        write_arms(
            given.out,
            tokenizer_file=given.tokenizer,
            seed=given.seed,
            corpus_tokens=given.corpus_tokens,
            budget_tokens=given.budget_tokens,
            arms=tuple(given.arms.split(",")),
        )


if __name__ == "__main__":
    main()
