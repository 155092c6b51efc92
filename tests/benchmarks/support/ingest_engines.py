"""Who tokenises the same files: this product with either engine, dolma and datatrove. Each is one command."""

import shutil
import sys
from pathlib import Path

OURS, REFERENCE = "pivots", "pivots with tokenizers"

_INGEST = """
import sys
from pathlib import Path
from warehouse import ingest
from warehouse.base.settings import Home
if __name__ == "__main__":
    home, files, tokenizer, engine = sys.argv[1:]
    ingest.tokenizer_engine = lambda *_, **__: engine
    summary = ingest.ingest_corpus(Home(Path(home)), [Path(files)], corpus="bench", tokenizer=tokenizer)
    assert summary.engine == engine
"""
_DATATROVE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
if __name__ == "__main__":
    files, out, tokenizer, n_files, workers = sys.argv[1:]
    steps = [
        JsonlReader(files, compression="zstd"),
        DocumentTokenizer(out, tokenizer_name_or_path=tokenizer, eos_token="<|endoftext|>", shuffle_documents=False),
    ]
    LocalPipelineExecutor(steps, tasks=int(n_files), workers=int(workers), logging_dir=out + "/logs").run()
"""


def commands(
    scratch: Path, files: Path, tokenizer: Path, threads: int, dolma: Path | None, datatrove: Path | None
) -> dict[str, list[str]]:
    """Return the command of every engine that is there; each starts from an empty folder of its own.

    Args:
        dolma: the Python of an environment that has it. datatrove: likewise.
    """
    n_files = str(sum(1 for _ in files.iterdir()))
    found = {}
    for name, engine in ((OURS, "gigatoken"), (REFERENCE, "tokenizers")):
        home = scratch / f"home-{engine}"
        found[name] = [sys.executable, write(scratch / "ingest.py", _INGEST), str(home), str(files), str(tokenizer)]
        found[name].append(engine)
    if dolma:
        found["dolma"] = [str(dolma), "-m", "dolma.cli", "tokens", "--documents", f"{files}/*.jsonl.zst"]
        found["dolma"] += ["--destination", str(scratch / "dolma"), "--tokenizer.name_or_path", str(tokenizer)]
        found["dolma"] += ["--tokenizer.eos_token_id", "0", "--tokenizer.pad_token_id", "1"]
        found["dolma"] += ["--dtype", "uint16", "--seed", "0", "--processes", str(threads)]
    if datatrove:
        script = write(scratch / "tokenise.py", _DATATROVE)
        out = str(scratch / "datatrove")
        found["datatrove"] = [str(datatrove), script, str(files), out, str(tokenizer), n_files, str(threads)]
    return found


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def clear(scratch: Path, word_list: Path) -> None:
    """Remove what engines wrote, and make the homes again: the words are there before the documents."""
    from warehouse.base.settings import Home
    from warehouse.ingest.word_list import import_words

    for name in ("dolma", "datatrove"):
        shutil.rmtree(scratch / name, ignore_errors=True)
    for engine in ("gigatoken", "tokenizers"):
        shutil.rmtree(scratch / f"home-{engine}", ignore_errors=True)
        import_words(Home(scratch / f"home-{engine}"), word_list)


def n_tokens(scratch: Path, name: str) -> int:
    """Return how many token ids an engine wrote, separators included."""
    import duckdb

    if name in (OURS, REFERENCE):
        engine = "gigatoken" if name == OURS else "tokenizers"
        shards = f"{scratch}/home-{engine}/lake/documents/bench/*.parquet"
        query = f"select sum(n_tokens) + count(*) from read_parquet('{shards}')"
        return int(duckdb.sql(query).fetchall()[0][0])
    files = (scratch / "datatrove").glob("*.ds") if name == "datatrove" else (scratch / "dolma").glob("*.npy")
    return sum(path.stat().st_size // 2 for path in files)
