"""OLMo memmap tokens: raw little-endian uint16 or uint32 ids without a header, cut into instances of 2,048 tokens.

A training instance holds pieces of several unrelated documents, told apart by the separator. Each such fragment is a
document here, so that its ids hold no special tokens and words of unrelated texts do not meet; `line_number` is the
instance (1-based within its file). The first and the last fragment of an instance are usually cut off, at worst within
a character.
"""

import codecs
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.contract.hashing import file_hash
from warehouse.ingest.readers.records import Piece, Records, Rejected

FORMAT = "memmap"
INSTANCE_TOKENS = 2048
PARTIAL = "pivots_partial"  # error handler: each byte that is no UTF-8 becomes PARTIAL_CHARACTER
PARTIAL_CHARACTER = "\x1a"
_MAGIC = b"\x93NUMPY"
_SAMPLE_TOKENS = 1 << 20
_PIECE_INSTANCES = 512
# OLMo-1's separator is 50279; 0 is the end of text of plain GPT-NeoX, and the two are swapped in some files
_USUAL_SEPARATORS = (0, 50279, 100257)


def _partial(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return PARTIAL_CHARACTER * (error.end - error.start), error.end


codecs.register_error(PARTIAL, _partial)


def open_tokens(path: Path, vocab_size: int) -> npt.NDArray[np.unsignedinteger]:
    """Return all ids of a file, mapped from disk. A real .npy file (with NumPy's header) says its own type.

    Raises:
        ValueError: it is a .npy file of something else, or broken.
    """
    with path.open("rb") as stream:
        has_header = stream.read(len(_MAGIC)) == _MAGIC
    if has_header:
        tokens = open_numpy(path)
        if tokens.ndim != 1 or tokens.dtype not in (np.dtype("<u2"), np.dtype("<u4")):
            raise ValueError(f"a NumPy file of {tokens.dtype} with shape {tokens.shape}, not of uint16 or uint32 ids")
        return tokens
    dtype = np.dtype("<u4" if vocab_size > 65_535 else "<u2")
    n_tokens = path.stat().st_size // dtype.itemsize
    return np.memmap(path, dtype, "r", shape=(n_tokens,)) if n_tokens else np.empty(0, dtype)


def open_numpy(path: Path) -> npt.NDArray[Any]:
    """Return the array of a .npy file, mapped from disk. Raises ValueError when it is broken."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (tokenize.TokenError, SyntaxError, OverflowError, EOFError) as error:  # what a broken header gives, too
        raise ValueError(f"not a NumPy file: {error}") from None


def check(path: Path, *, vocab_size: int, eos_token_id: int | None) -> str | None:
    """Return what keeps this file from being read as memmap tokens with this separator, or None."""
    if eos_token_id is None:
        return "needs the id that separates documents: pass --eos-token-id"
    try:
        tokens = open_tokens(path, vocab_size)
    except ValueError as error:
        return f"is {error}"
    if len(tokens) < INSTANCE_TOKENS:
        return None  # a reject when it is read
    sample = tokens
    if len(tokens) > _SAMPLE_TOKENS:
        half = _SAMPLE_TOKENS // 2
        sample = np.concatenate([tokens[:half], tokens[:: len(tokens) // half][:half]])
    counts = {i: int((sample == i).sum()) for i in sorted({eos_token_id, *_USUAL_SEPARATORS})}
    if counts[eos_token_id]:
        return None
    found = " and ".join(f"{i} {n} times" for i, n in counts.items() if n) or "none of the usual separators"
    return f"holds no separator {eos_token_id} in a sample of {len(sample):,} tokens, but {found}: pass --eos-token-id"


def count_instances(path: Path, vocab_size: int) -> int:
    """Return how many whole instances a file holds. Raises ValueError like `open_tokens`."""
    return len(open_tokens(path, vocab_size)) // INSTANCE_TOKENS


def pieces(path: Path, vocab_size: int, chosen: npt.NDArray[np.int64] | None = None) -> Iterator[Piece]:
    """Cut a file into some of its instances at a time; `chosen` are the ones to read (0-based), all when None."""
    size = path.stat().st_size
    rejects: list[Rejected] = []
    if size == 0:
        yield Piece(FORMAT, None, 1, 0, (Rejected(None, "empty file"),))
        return
    try:
        tokens = open_tokens(path, vocab_size)
    except ValueError as error:
        yield Piece(FORMAT, None, 1, size, (Rejected(None, "not readable as tokens", str(error)),))
        return
    n_instances = len(tokens) // INSTANCE_TOKENS
    if isinstance(tokens, np.memmap) and tokens.offset == 0 and size % tokens.dtype.itemsize:
        detail = f"{size} bytes are no multiple of {tokens.dtype.itemsize}"
        rejects.append(Rejected(None, "truncated file", detail))
    if n_instances == 0:
        rejects.append(Rejected(None, "shorter than one instance", f"{len(tokens)} of {INSTANCE_TOKENS} tokens"))
        yield Piece(FORMAT, None, 1, size, tuple(rejects))
        return
    identity = file_hash(path)[:16]
    instances = np.arange(n_instances) if chosen is None else chosen
    for first in range(0, len(instances), _PIECE_INSTANCES):
        some = instances[first : first + _PIECE_INSTANCES]
        payload = (str(path), identity, vocab_size, some)
        yield Piece(FORMAT, payload, int(some[0]) + 1, size * len(some) // len(instances), tuple(rejects))
        rejects = []


def parse(piece: Piece, *, eos_token_id: int) -> Records:
    """Read the fragments of a piece's instances, without separators.

    Their identity is the file's content, the instance and the fragment: the file's name or place do not matter.
    """
    records = Records.of(piece)
    if piece.payload is None:
        return records
    path, identity, vocab_size, instances = piece.payload
    tokens = open_tokens(Path(path), vocab_size)
    for instance in instances.tolist():
        ids_of_instance = np.asarray(tokens[instance * INSTANCE_TOKENS : (instance + 1) * INSTANCE_TOKENS])
        separators = np.flatnonzero(ids_of_instance == eos_token_id)
        for number, fragment in enumerate(np.split(ids_of_instance, separators)):
            ids = fragment[fragment != eos_token_id]
            if not len(ids):
                continue  # the instance begins with a separator, or two follow each other
            records.n_read += 1
            records.line_numbers.append(instance + 1)
            records.source_ids.append(f"{identity}:{instance}:{number}")
            records.sources.append("")
            records.langs.append(None)
            records.token_ids.append(ids.astype(np.int32))
    return records
