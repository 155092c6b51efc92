"""A selection as training shards: the documents' token ids one after another, each followed by the separator.

The token files have the OLMo memmap layout (headerless little-endian ids), so OLMo's own trainer can read them too.
An export is immutable and named by its content.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.progress import progress
from warehouse.base.settings import Home
from warehouse.build.dbt_runner import build_variables
from warehouse.contract.atomic import atomic_folder, remove_unfinished
from warehouse.contract.folders import DOCUMENT_SPANS, MANIFEST, ExportManifest, ShardManifest, TokenType
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.contract.reading import read_manifest
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.corpora import copy_tokenizer, find_corpus
from warehouse.lake.files import current_count, shard_path, write_table
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.runs import Run
from warehouse.lake.schemas import RECORDED

HELD_OUT = "held_out"
PART_TOKENS = 100_000_000
BATCH_DOCUMENTS = 4096
# One rule of order for every strategy, so that arms differ in their documents and in nothing else.
_ORDER = "md5(cast(doc_id as varchar)), doc_id"


@dataclass(frozen=True)
class Export:
    """Where an export lies and what its manifest says."""

    folder: Path
    manifest: ExportManifest


@dataclass(frozen=True)
class _Request:
    corpus: str
    strategy: str
    budget_tokens: int | None


def export_selection(home: Home, *, corpus: str, strategy: str, budget_tokens: int | None) -> Export:
    """Write the documents that a strategy selects within a token budget as an export folder.

    Args:
        budget_tokens: total of document tokens, separators not counted; None takes everything the mart holds.

    Raises:
        UsageError: the corpus or strategy is not in the marts, held-out documents are asked for and there are none, or
            the mart was built for a smaller budget.
    """
    request = _Request(corpus, strategy, budget_tokens)
    with writer_lock(home):
        tokenizer = asdict(find_corpus(home, corpus))
        if tokenizer["eos_token_id"] is None:
            raise UsageError(f"corpus {corpus!r} has no separator token: ingest it with --eos-token-id")
        with open_writer(home) as connection:
            refresh_raw_views(home, connection)
            _select(home, connection, request)
            if strategy == HELD_OUT and not connection.execute("from selected limit 1").fetchone():
                raise UsageError(
                    f"no document of {corpus} is held out, so that no loss can be measured: the corpus is small; run "
                    "`pivots build --vars '{\"held_out_share\": 0.1}'` first"
                )
            fingerprint = connection.execute(
                f"select count(*), md5(string_agg(doc_id || ':' || content_hash, ' ' order by {_ORDER})) from selected"
            ).fetchall()
            export_id = f"{corpus}-{strategy}-{short_hash([asdict(request), tokenizer, fingerprint])}"
            folder = home.exports / export_id
            remove_unfinished(home.exports)
            if not folder.exists():
                with atomic_folder(folder) as unfinished:
                    _write(home, connection, unfinished, export_id, request, tokenizer)
        export = read_export(folder)
        _record(home, export)
    return export


def read_export(folder: Path) -> Export:
    """Return the export in a folder.

    Raises:
        UsageError: the folder is no export.
    """
    manifest_file = folder / MANIFEST
    if not manifest_file.exists():
        raise UsageError(f"{folder} is no export: it has no {MANIFEST}; `pivots export` makes one")
    return Export(folder, read_manifest(manifest_file, ExportManifest))


def _select(home: Home, connection: duckdb.DuckDBPyConnection, request: _Request) -> None:
    """Fill the temporary table `selected` (doc_id, lang, content_hash)."""
    corpus, strategy, budget = request.corpus, request.strategy, request.budget_tokens
    try:
        if strategy == HELD_OUT:
            condition, join = "d.is_held_out", ""
        else:
            _check(home, connection, corpus, strategy, budget)
            join = "inner join marts.fct_selected_documents as s using (corpus, doc_id)"
            condition = "s.strategy = $strategy and s.min_budget_tokens <= $budget"
        connection.execute(
            f"""
            create temporary table selected as
            select d.doc_id, d.lang, d.content_hash
            from marts.dim_documents as d {join}
            where d.corpus = $corpus and {condition}
            """,
            {"corpus": corpus}
            | ({} if strategy == HELD_OUT else {"strategy": strategy, "budget": budget or (1 << 62)}),
        )
    except duckdb.CatalogException:
        raise UsageError("the marts are not built yet: run `pivots build` first") from None


def _check(home: Home, connection: duckdb.DuckDBPyConnection, corpus: str, strategy: str, budget: int | None) -> None:
    names = [
        row[0]
        for row in connection.execute(
            "select distinct strategy from marts.fct_selected_documents where corpus = ? order by all", [corpus]
        ).fetchall()
    ]
    if strategy not in names:
        known = ", ".join([*names, HELD_OUT]) if names else "none; run `pivots count` and `pivots build`"
        raise UsageError(f"no strategy {strategy!r} for corpus {corpus!r} (there are: {known})")
    built = build_variables(home).get("selection_budget_tokens", 0)
    if built and (budget is None or budget > built):
        raise UsageError(
            f"the marts hold selections of up to {built:,} tokens: "
            f"run `pivots build --budget-tokens {budget or 0}` first (0 keeps every eligible document)"
        )


def _write(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    export_id: str,
    request: _Request,
    tokenizer: dict[str, Any],
) -> None:
    dtype: TokenType = "uint16" if tokenizer["vocab_size"] <= 1 << 16 else "uint32"
    n_docs = connection.execute("select count(*) from selected").fetchall()[0][0]
    shards: list[ShardManifest] = []
    tokens_by_lang: dict[str, int] = {}
    with progress(f"export {request.strategy}", n_docs, "documents") as advance:
        for part in _parts(connection, request.corpus, dtype, tokenizer["eos_token_id"]):
            name = f"part-{len(shards):05d}"
            np.concatenate(part.token_ids).tofile(folder / f"{name}.npy")
            pq.write_table(part.spans, folder / f"{name}.documents.parquet", compression="zstd")
            shards.append(
                {
                    "tokens": f"{name}.npy",
                    "documents": f"{name}.documents.parquet",
                    "n_docs": part.spans.num_rows,
                    "n_tokens": part.spans["end"][-1].as_py(),
                    "blake2b": file_hash(folder / f"{name}.npy"),
                }
            )
            for lang, n_tokens in part.tokens_by_lang():
                tokens_by_lang[lang] = tokens_by_lang.get(lang, 0) + n_tokens
            advance(part.spans.num_rows)
    copy_tokenizer(home, tokenizer["tokenizer_hash"], folder)
    manifest: ExportManifest = {
        "export_id": export_id,
        "corpus": request.corpus,
        "strategy": request.strategy,
        "budget_tokens": request.budget_tokens,
        "tokenizer_hash": tokenizer["tokenizer_hash"],
        "eos_token_id": tokenizer["eos_token_id"],
        "dtype": dtype,
        "n_docs": n_docs,
        "n_tokens": sum(shard["n_tokens"] for shard in shards),
        "tokens_by_lang": tokens_by_lang,
        "shards": shards,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class _Part:
    token_ids: list[np.ndarray]  # one array (n_tokens + 1,) a document, separator included
    spans: pa.Table

    def tokens_by_lang(self) -> list[tuple[str, int]]:
        sizes = pc.subtract(self.spans["end"], self.spans["start"])
        sums = pa.table({"lang": self.spans["lang"], "n": sizes}).group_by("lang").aggregate([("n", "sum")])
        return sorted(zip(sums["lang"].to_pylist(), sums["n_sum"].to_pylist(), strict=True))


def _parts(connection: duckdb.DuckDBPyConnection, corpus: str, dtype: str, separator: int) -> Iterator[_Part]:
    """Yield the selected documents in order, in parts of at least `PART_TOKENS` tokens (the last may be smaller)."""
    reader = connection.execute(
        f"""
        select d.doc_id, d.lang, d.n_bytes, d.token_ids
        from raw.documents as d
        inner join selected as s using (doc_id)
        where d.corpus = ?
        order by {_ORDER.replace("doc_id", "d.doc_id")}
        """,
        [corpus],
    ).to_arrow_reader(BATCH_DOCUMENTS)
    end_of_document = np.array([separator], dtype=dtype)
    token_ids: list[np.ndarray] = []
    rows: list[tuple[int, str, int, int, int]] = []
    position = 0
    for batch in reader:
        values, offsets = batch["token_ids"].values.to_numpy(), batch["token_ids"].offsets.to_numpy()
        columns = (batch["doc_id"].to_pylist(), batch["lang"].to_pylist(), batch["n_bytes"].to_pylist())
        for i, (doc, lang, n_bytes) in enumerate(zip(*columns, strict=True)):
            ids = values[offsets[i] : offsets[i + 1]].astype(dtype)
            token_ids += (ids, end_of_document)
            rows.append((doc, lang, position, position + len(ids) + 1, n_bytes))
            position += len(ids) + 1
        if position >= PART_TOKENS:
            yield _part(token_ids, rows)
            token_ids, rows, position = [], [], 0
    if rows:
        yield _part(token_ids, rows)


def _part(token_ids: list[np.ndarray], rows: list[tuple[int, str, int, int, int]]) -> _Part:
    columns = [pa.array(c, field.type) for c, field in zip(zip(*rows, strict=True), DOCUMENT_SPANS, strict=True)]
    return _Part(token_ids, pa.Table.from_arrays(columns, schema=DOCUMENT_SPANS))


def _record(home: Home, export: Export) -> None:
    manifest = export.manifest
    spans = [pq.read_table(export.folder / shard["documents"], columns=["lang"]) for shard in manifest["shards"]]
    langs = pa.concat_tables(spans)["lang"].value_counts().to_pylist() if spans else []
    rows = [
        {
            "export_id": manifest["export_id"],
            "corpus": manifest["corpus"],
            "strategy": manifest["strategy"],
            "budget_tokens": manifest["budget_tokens"],
            "lang": count["values"],
            "n_docs": count["counts"],
            "n_tokens": manifest["tokens_by_lang"][count["values"]],
        }
        for count in sorted(langs, key=lambda count: count["values"])
    ]
    path = shard_path(home, "exports", manifest["export_id"])
    if not path.exists():
        write_table(path, "exports", pa.Table.from_pylist(rows, schema=RECORDED["exports"]))
    Run(
        kind="export",
        corpus=manifest["corpus"],
        strategy=manifest["strategy"],
        config={"budget_tokens": manifest["budget_tokens"]},
        inputs={"count": current_count(home, manifest["corpus"]) or "", "export": manifest["export_id"]},
        export_id=manifest["export_id"],
        tokenizer_hash=manifest["tokenizer_hash"],
    ).record(home)
