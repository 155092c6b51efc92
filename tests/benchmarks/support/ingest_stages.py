"""Where ingest's time goes: the stages of one process, timed from outside."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any


def stages(scratch: Path, given: dict[str, Any], engine: str) -> dict[str, float]:
    """Return nanoseconds of processor time per byte of text by stage, over the first copy of the files."""
    import os

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from warehouse.base.settings import Home
    from warehouse.ingest import piece_rows
    from warehouse.ingest.piece_rows import Origin, Tools
    from warehouse.ingest.readers import dolma
    from warehouse.ingest.shard_writer import open_parquet
    from warehouse.ingest.word_matches import word_files
    from warehouse.lake.corpora import tokenizer_file

    home = Home(scratch / f"home-{engine}")
    [tokenizer] = (home.lake / "tokenizers").glob("*.json")
    tools = Tools(tokenizer_file(home, tokenizer.stem), engine, word_files(home))
    origin = Origin("bench", "shard", "file", None, None, None)
    files = sorted(Path(given["files"]).iterdir())
    files = [file for file in files if "-0-" in file.name] or files
    seconds: dict[str, float] = defaultdict(float)
    n_bytes = 0
    piece_rows.rows_of_piece(tools, origin, next(dolma.pieces(files[0])))  # kernels, dictionaries and caches are loaded
    watched = {
        "parse": "JSON",
        "_normalise": "normal form, checks",
        "_encode": "encoding",
        "_check_sample": "holding samples to `tokenizers`",
        "place_tokens": "holding tokens to text",
        "match_documents": "matching words",
    }
    originals = {name: getattr(piece_rows, name) for name in watched}
    try:
        for name, stage in watched.items():
            setattr(piece_rows, name, _watch(originals[name], stage, seconds))
        rows_of_piece = _watch(piece_rows.rows_of_piece, "identities, columns", seconds)
        for file in files:
            pieces = _watch(lambda file=file: list(dolma.pieces(file)), "reading zstd", seconds)()
            with open_parquet(scratch / "documents.parquet", "documents") as writer:
                for piece in pieces:
                    rows = rows_of_piece(tools, origin, piece)
                    _watch(writer.write_table, "writing documents", seconds)(rows.documents)
                    n_bytes += sum(rows.documents["n_bytes"].to_pylist())
                    with open_parquet(scratch / "words.parquet", "word_documents") as words:
                        for table in rows.word_documents:
                            _watch(words.write_table, "writing matches", seconds)(table)
    finally:
        for name, original in originals.items():
            setattr(piece_rows, name, original)
    seconds["identities, columns"] -= sum(seconds[stage] for stage in watched.values())
    return {stage: value / n_bytes * 1e9 for stage, value in seconds.items()}


def _watch(function: Callable[..., Any], stage: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[stage] += time.process_time() - start

    return watched
