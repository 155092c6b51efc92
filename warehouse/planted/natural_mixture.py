"""The planted corpus in its natural mixture as training shards, straight from the generator.

The base model reads tens of millions of tokens once. Nothing is counted or selected for that, so these shards skip the
warehouse; their format is that of `pivots export --strategy original`.
"""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from warehouse.base.machine import available_threads
from warehouse.base.progress import progress
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.hashing import file_hash, id64, short_hash
from warehouse.contract.tokenizer_identity import tokenizer_hash as identify_tokenizer
from warehouse.planted.documents import BLOCK_DOCS, block_documents
from warehouse.planted.settings import Setting, find_setting
from warehouse.planted.tokenizer import END_OF_TEXT

_SHARD_BLOCKS = 32


def write_natural_mixture(
    out: Path, *, tokenizer_file: Path, n_blocks: int, seed: int, setting: str = "default"
) -> None:
    """Write `n_blocks` blocks of a setting as an export folder, unless it is there already.

    Raises:
        UsageError: the setting does not exist.
    """
    chosen = find_setting(setting)
    if (out / "manifest.json").exists():
        return
    tokenizer_hash = identify_tokenizer(tokenizer_file.read_bytes())
    request = {"corpus": "planted", "strategy": "original", "seed": seed, "n_blocks": n_blocks}
    if setting != "default":  # exports of the default setting keep the name that they had before there was a choice
        request["setting"] = setting
    with atomic_folder(out.absolute()) as folder:
        jobs = [
            (folder, tokenizer_file, chosen, seed, number, range(first, min(first + _SHARD_BLOCKS, n_blocks)))
            for number, first in enumerate(range(0, n_blocks, _SHARD_BLOCKS))
        ]
        parts: list[dict[str, Any]] = []
        context = multiprocessing.get_context("spawn")
        with (
            progress("natural mixture", n_blocks * BLOCK_DOCS, "documents") as advance,
            ProcessPoolExecutor(available_threads(), mp_context=context) as pool,
        ):
            for part in pool.map(_write_part, *zip(*jobs, strict=True)):
                parts.append(part)
                advance(part["n_docs"])
        by_lang: dict[str, int] = {}
        for part in parts:
            for lang, n_tokens in part.pop("tokens_by_lang").items():
                by_lang[lang] = by_lang.get(lang, 0) + n_tokens
        (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
        manifest = request | {
            "export_id": f"planted-original-{short_hash([request, tokenizer_hash])}",
            "budget_tokens": sum(part["n_tokens"] for part in parts),
            "tokenizer_hash": tokenizer_hash,
            "eos_token_id": _eos_token_id(tokenizer_file),
            "dtype": "uint16",
            "n_docs": sum(part["n_docs"] for part in parts),
            "n_tokens": sum(part["n_tokens"] for part in parts),
            "tokens_by_lang": dict(sorted(by_lang.items())),
            "shards": parts,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _write_part(
    folder: Path, tokenizer_file: Path, setting: Setting, seed: int, number: int, blocks: range
) -> dict[str, Any]:
    """Write one part and return its line of the manifest."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    eos = _eos_token_id(tokenizer_file)
    tokens: list[int] = []
    spans: list[dict[str, Any]] = []
    by_lang: dict[str, int] = {}
    for block in blocks:
        documents = block_documents(setting, seed, block)
        for i, encoding in enumerate(tokenizer.encode_batch([d.text for d in documents], add_special_tokens=False)):
            lang, start = documents[i].lang, len(tokens)
            tokens += [*encoding.ids, eos]
            by_lang[lang] = by_lang.get(lang, 0) + len(tokens) - start
            spans.append(
                {
                    "doc_id": id64("planted-base", str(seed), str(block * BLOCK_DOCS + i)),
                    "lang": lang,
                    "start": start,
                    "end": len(tokens),
                    "n_bytes": len(documents[i].text.encode()),
                }
            )
    name = f"part-{number:05d}"
    np.array(tokens, dtype="<u2").tofile(folder / f"{name}.npy")
    pq.write_table(pa.Table.from_pylist(spans), folder / f"{name}.documents.parquet", compression="zstd")
    return {
        "tokens": f"{name}.npy",
        "documents": f"{name}.documents.parquet",
        "n_docs": len(spans),
        "n_tokens": len(tokens),
        "tokens_by_lang": by_lang,
        "blake2b": file_hash(folder / f"{name}.npy"),
    }


def _eos_token_id(tokenizer_file: Path) -> int:
    token_id = Tokenizer.from_file(str(tokenizer_file)).token_to_id(END_OF_TEXT)
    assert token_id is not None
    return token_id
