"""Which training instances of memmap files are read: OLMo's `global_indices`, an array of instance numbers.

Instances are numbered through all files in the order in which a training configuration lists them; what remains of a
file after its last whole instance has no number. Step s of a training with batches of B sequences reads the elements
[s * B, (s + 1) * B) of the array.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from warehouse.base.errors import UsageError
from warehouse.ingest.readers import memmap

_CHUNK = 1 << 24  # indices read at once
_MAGIC = b"\x93NUMPY"


def choose_instances(
    index_file: Path, index_range: tuple[int, int] | None, paths: list[Path], *, vocab_size: int
) -> list[npt.NDArray[np.int64]]:
    """Return for each file the instances that the array names, counted within the file, ascending, each once.

    Args:
        index_file: raw little-endian uint32, or a NumPy file of integers.
        index_range: the elements [start, end) of the array; all of them when None.
        paths: memmap files in the order of the training configuration.

    Raises:
        UsageError: the array cannot be read, is shorter than the range, or names an instance that no file has.
    """
    indices = _elements(_open_indices(index_file), index_range, index_file)
    sizes = [memmap.count_instances(path, vocab_size) for path in paths]
    total = sum(sizes)
    is_chosen = np.zeros(total, bool)
    for begin in range(0, len(indices), _CHUNK):
        chunk = np.asarray(indices[begin : begin + _CHUNK])
        least, most = int(chunk.min()), int(chunk.max())
        if least < 0 or most >= total:
            raise UsageError(
                f"--global-indices {index_file}: instance {least if least < 0 else most:,} is not among the {total:,} "
                f"of {len(paths):,} files: give all files of the training, in its order"
            )
        is_chosen[chunk] = True
    ends = np.cumsum(sizes)
    return [np.flatnonzero(is_chosen[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def parse_range(text: str) -> tuple[int, int]:
    """Return (start, end) of `START:END`.

    Raises:
        UsageError: it is written otherwise, or holds nothing.
    """
    start, _, end = text.partition(":")
    if not (start.isdecimal() and end.isdecimal() and int(start) < int(end)):
        raise UsageError(f"--index-range {text}: write START:END, two numbers with START below END")
    return int(start), int(end)


def _open_indices(path: Path) -> npt.NDArray[np.integer]:
    if not path.is_file():
        raise UsageError(f"--global-indices {path}: no such file")
    with path.open("rb") as stream:
        has_header = stream.read(len(_MAGIC)) == _MAGIC
    if has_header:
        try:
            indices = memmap.open_numpy(path)
        except ValueError as error:
            raise UsageError(f"--global-indices {path}: not readable as NumPy ({error})") from None
        if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
            raise UsageError(f"--global-indices {path}: holds {indices.dtype} of shape {indices.shape}, not indices")
        return indices
    size = path.stat().st_size
    if size % 4:
        raise UsageError(f"--global-indices {path}: {size} bytes are no uint32 array")
    return np.memmap(path, "<u4", "r") if size else np.empty(0, "<u4")


def _elements(
    indices: npt.NDArray[np.integer], index_range: tuple[int, int] | None, path: Path
) -> npt.NDArray[np.integer]:
    start, end = index_range or (0, len(indices))
    if end > len(indices):
        raise UsageError(f"--index-range {start}:{end}: {path} has {len(indices):,} elements")
    if start == end:
        raise UsageError(f"--global-indices {path}: names no instance")
    return indices[start:end]
