"""A corpus of the warehouse as an infini-gram index: its own token ids, sorted by the package's indexer."""

import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.machine import available_threads
from warehouse.base.progress import progress, say
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder
from warehouse.counting.inputs import CountInputs, find_inputs
from warehouse.counting.memory import memory_plan
from warehouse.engines.infini_gram.files import NOT_INSTALLED, open_shards
from warehouse.lake.connections import writer_lock
from warehouse.lake.superseded_documents import bring_superseded_up_to_date

_SEPARATOR = 0xFFFF
_PARALLEL_BYTES = 64 << 20  # its parts overlap by 100,000 bytes: small files in several parts give a wrong table
_GIB = 1 << 30


@dataclass(frozen=True)
class IndexSummary:
    """What an index holds. Documents without tokens are left out."""

    folder: Path
    n_docs: int
    n_tokens: int  # separators included, one before each document
    n_bytes: int


def build_index(home: Home, corpus: str, out: Path) -> IndexSummary:
    """Write an infini-gram index of a corpus: the documents that are counted, as they are tokenised.

    Raises:
        UsageError: no such corpus, a vocabulary of more than 65,535 tokens (the indexer then asks for 32 GiB and more,
            whatever the corpus), a folder that exists or whose name the indexer cannot take.
        StepFailed: the indexer failed.
    """
    out = out.expanduser().resolve()
    if out.exists():
        raise UsageError(f"--out {out}: it exists already; an index is written whole, into a new folder")
    if not re.fullmatch(r"[\w./+-]+", str(out)) or "tokenized" in str(out):
        raise UsageError(f"--out {out}: the indexer takes no path with blanks, quotes or the word `tokenized` in it")
    if find_spec("infini_gram") is None:
        raise UsageError(NOT_INSTALLED)
    with writer_lock(home):
        bring_superseded_up_to_date(home, corpus)
    inputs = find_inputs(home, corpus)
    if inputs.vocab_size > _SEPARATOR:
        raise UsageError(
            f"corpus {corpus} has a vocabulary of {inputs.vocab_size:,} tokens: more than 65,535 need 32-bit tokens, "
            "for which the indexer takes more than 32 GiB of memory"
        )
    with atomic_folder(out) as folder:
        n_docs, n_tokens = _write_tokens(folder, inputs)
        if not n_docs:
            raise StepFailed(f"corpus {corpus!r} holds no tokens: nothing to index")
        say(f"sorting {n_tokens:,} places")
        _sort(folder)
        try:
            open_shards(folder)
        except UsageError as problem:  # its parts were cut wrongly: it does not notice
            raise StepFailed(f"the indexer of infini-gram made no whole index: {problem}") from None
    return IndexSummary(out, n_docs, n_tokens, sum(path.stat().st_size for path in out.iterdir()))


def _write_tokens(folder: Path, inputs: CountInputs) -> tuple[int, int]:
    """Write `tokenized.0` and `offset.0`; return how many documents and tokens (with separators) they hold."""
    superseded = _superseded(inputs)
    n_docs, n_tokens = 0, 0
    total = sum(pq.read_metadata(path).num_rows for path in inputs.documents)
    with (
        (folder / "tokenized.0").open("wb") as tokens_file,
        (folder / "offset.0").open("wb") as offsets_file,
        progress("writing tokens", total, "documents") as advance,
    ):
        for n_rows, lengths, ids in _documents(inputs, superseded):
            starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(lengths) else np.empty(0, np.int64)
            separated = np.insert(ids.astype("<u2"), starts, _SEPARATOR)
            tokens_file.write(separated.tobytes())
            offsets_file.write(((n_tokens + starts + np.arange(len(starts))) * 2).astype("<u8").tobytes())
            n_docs, n_tokens = n_docs + len(lengths), n_tokens + len(separated)
            advance(n_rows)
    return n_docs, n_tokens


def _documents(
    inputs: CountInputs, superseded: pa.Table
) -> Iterator[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
    """Yield per row group: its rows, then the lengths and the token ids of the documents that count, in order."""
    for path in inputs.documents:
        replaced = superseded.filter(pc.equal(superseded["shard_id"], path.stem))["doc_id"]
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=["doc_id", "n_tokens", "token_ids"])
                n_rows = len(rows)
                keep = pc.and_(pc.invert(pc.is_in(rows["doc_id"], replaced)), pc.greater(rows["n_tokens"], 0))
                rows = rows.filter(keep).combine_chunks()
                ids = rows["token_ids"].combine_chunks()
                yield n_rows, rows["n_tokens"].to_numpy().astype(np.int64), pc.list_flatten(ids).to_numpy()


def _superseded(inputs: CountInputs) -> pa.Table:
    if inputs.superseded is None:
        return pa.table({"shard_id": pa.array([], pa.string()), "doc_id": pa.array([], pa.int64())})
    return pq.read_table(inputs.superseded, columns=["shard_id", "doc_id"])


def _sort(folder: Path) -> None:
    """Run the package's indexer on written tokens: it skips its own tokenising and makes `table.0`.

    Raises:
        StepFailed: it ended badly; the last line of what it said is quoted.
    """
    n_bytes = (folder / "tokenized.0").stat().st_size
    cpus = available_threads() if n_bytes >= _PARALLEL_BYTES else 1
    command = [sys.executable, "-m", "infini_gram.indexing", "--data_dir", str(folder), "--save_dir", str(folder)]
    command += ["--token_dtype", "u16", "--cpus", str(cpus), "--mem", str(max(1, memory_plan().rows * 8 // _GIB))]
    command += ["--ulimit", str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not (folder / "table.0").exists():
        lines = (done.stdout + done.stderr).splitlines()
        said = [line for line in lines if line.strip() and not line.startswith("note:")]
        raise StepFailed(f"the indexer of infini-gram failed: {said[-1] if said else f'exit code {done.returncode}'}")
