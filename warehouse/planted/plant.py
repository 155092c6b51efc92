"""Write a planted corpus: Dolma shards, word list, truth tables, manifest."""

import json
import math
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from warehouse.base.errors import UsageError
from warehouse.base.machine import available_threads
from warehouse.base.progress import progress
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.hashing import file_hash
from warehouse.planted.documents import BLOCK_DOCS, block_documents
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.settings import Setting, find_setting
from warehouse.planted.world import concepts, word_records

DOCS_PER_SCALE = 10_000
SHARD_BLOCKS = 4
GENERATOR_VERSION = 1  # raise it when the same seed gives other bytes

CONCEPTS_SCHEMA = pa.schema(
    [("concept_id", pa.int32())]
    + [(lang, pa.string()) for lang in LANGUAGES]
    + [("kind", pa.string()), ("role", pa.string()), ("topic", pa.string())]
)
PIVOTS_SCHEMA = pa.schema([("concept_id", pa.int32()), ("pivot_word", pa.string())])


def plant_corpus(out: Path, *, scale: float, seed: int, setting: str = "default") -> dict[str, Any]:
    """Write the corpus of (setting, seed, scale) to `out` and return its manifest.

    The same arguments give the same bytes; a smaller scale gives a prefix of a larger one. Memory does not grow with
    scale: a shard is written while it is generated.

    Raises:
        UsageError: an unknown setting, a scale below one document, a negative seed, or `out` holds something.
    """
    chosen = find_setting(setting)
    n_docs = round(scale * DOCS_PER_SCALE) if math.isfinite(scale) else 0
    if n_docs < 1:
        raise UsageError(f"--scale {scale} makes no document: one document is --scale {1 / DOCS_PER_SCALE}")
    if seed < 0:
        raise UsageError(f"--seed {seed}: a seed is 0 or larger")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not an empty folder: choose another --out")
    out = out.absolute()
    with atomic_folder(out) as folder:
        (folder / "documents").mkdir()
        (folder / "truth").mkdir()
        shards = _write_shards(folder, chosen, seed, n_docs)
        _write_words(folder / "words.jsonl")
        _write_truth(folder / "truth")
        manifest = {
            "generator_version": GENERATOR_VERSION,
            "setting": chosen.name,
            "setting_values": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(chosen).items()},
            "seed": seed,
            "scale": scale,
            "n_docs": n_docs,
            "n_docs_by_lang": _total(shards, "n_docs_by_lang"),
            "n_docs_by_form": _total(shards, "n_docs_by_form"),
            "shards": shards,
            "files": {
                str(path.relative_to(folder)): file_hash(path)
                for path in [folder / "words.jsonl", *sorted((folder / "truth").iterdir())]
            },
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    return manifest


def _write_shards(folder: Path, setting: Setting, seed: int, n_docs: int) -> list[dict[str, Any]]:
    shard_docs = SHARD_BLOCKS * BLOCK_DOCS
    jobs = [
        (folder, setting, seed, number, min(shard_docs, n_docs - number * shard_docs))
        for number in range(-(-n_docs // shard_docs))
    ]
    n_workers = min(available_threads(), len(jobs) // 2)  # a process costs as much to start as a shard or two to write
    with progress("planting", n_docs, "documents") as advance:
        shards = []
        if n_workers < 2:
            for job in jobs:
                shards.append(_write_shard(*job))
                advance(job[-1])
            return shards
        with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            for shard in pool.map(_write_shard, *zip(*jobs, strict=True)):
                shards.append(shard)
                advance(shard["n_docs"])
        return shards


def _write_shard(folder: Path, setting: Setting, seed: int, number: int, n_docs: int) -> dict[str, Any]:
    """Write one shard and return its line of the manifest."""
    name = f"documents/part-{number:05d}.jsonl.zst"
    by_lang: dict[str, int] = {}
    by_form: dict[str, int] = {}
    compressor = zstandard.ZstdCompressor(level=3)
    with (folder / name).open("wb") as file, compressor.stream_writer(file) as stream:
        for block in range(SHARD_BLOCKS):
            first = block * BLOCK_DOCS
            if first >= n_docs:
                break
            index = number * SHARD_BLOCKS * BLOCK_DOCS + first
            lines = []
            for document in block_documents(setting, seed, number * SHARD_BLOCKS + block)[: n_docs - first]:
                lines.append(
                    f'{{"id": "planted-{seed}-{index:09d}", "text": {encode_basestring(document.text)}, '
                    f'"source": "planted", "metadata": {{"lang": "{document.lang}", "form": "{document.form}"}}}}\n'
                )
                index += 1
                by_lang[document.lang] = by_lang.get(document.lang, 0) + 1
                by_form[document.form] = by_form.get(document.form, 0) + 1
            stream.write("".join(lines).encode())
        stream.flush()
        os.fsync(file.fileno())
    counts = {"n_docs_by_lang": dict(sorted(by_lang.items())), "n_docs_by_form": dict(sorted(by_form.items()))}
    return {"name": name, "n_docs": n_docs, **counts, "blake2b": file_hash(folder / name)}


def _write_words(path: Path) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in word_records()))


def _write_truth(folder: Path) -> None:
    rows = [
        {"concept_id": c.concept_id, **dict(zip(LANGUAGES, c.words, strict=True))}
        | {"kind": c.kind, "role": c.role, "topic": c.topic}
        for c in concepts()
    ]
    pivots = [{"concept_id": c.concept_id, "pivot_word": pivot} for c in concepts() for pivot in c.pivots]
    pq.write_table(pa.Table.from_pylist(rows, schema=CONCEPTS_SCHEMA), folder / "concepts.parquet")
    pq.write_table(pa.Table.from_pylist(pivots, schema=PIVOTS_SCHEMA), folder / "pivots.parquet")


def _total(shards: list[dict[str, Any]], key: str) -> dict[str, int]:
    names = sorted({name for shard in shards for name in shard[key]})
    return {name: sum(shard[key].get(name, 0) for shard in shards) for name in names}
