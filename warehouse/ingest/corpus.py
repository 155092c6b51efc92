"""Files into the lake: one shard per file, committed whole, in parallel over files and within them."""

import hashlib
import re
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.progress import progress, say
from warehouse.base.settings import Home
from warehouse.contract.atomic import remove_unfinished
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.ingest.lang_column import check_lang_column
from warehouse.ingest.piece_rows import Origin, Tools
from warehouse.ingest.readers import hf_parquet, memmap
from warehouse.ingest.readers.detect import InputFile, find_files
from warehouse.ingest.readers.instances import choose_instances
from warehouse.ingest.readers.records import MAX_DOCUMENT_BYTES
from warehouse.ingest.register_corpus import check_corpus, register_corpus, tokenizer_engine, use_reference_engine
from warehouse.ingest.shard_writer import is_committed
from warehouse.ingest.word_matches import match_missing, word_files, write_missing_forms
from warehouse.ingest.workers import Processes, Source, Workers
from warehouse.lake.connections import writer_lock
from warehouse.lake.corpora import Corpus, tokenizer_file
from warehouse.lake.files import read_table, shard_path
from warehouse.lake.runs import Run
from warehouse.lake.superseded_documents import update_superseded
from warehouse.text.languages import is_language_code, language_code
from warehouse.text.tokenizing import EnginesDiffer, load_tokenizer

# Raised when the rows that the same file gives change: shards made before are then not taken for the same.
_ROWS_VERSION = 1
# A share of rejects says something from this many records on; at the end of the request it always counts.
_EARLY_STOP_RECORDS = 10_000
_CORPUS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """What a user may say about the files of one request."""

    format: str = "auto"
    lang: str | None = None  # language of every document
    lang_column: str | None = None  # where records state theirs
    eos_token_id: int | None = None
    global_indices: Path | None = None  # file of the training instances to read: see readers.instances
    index_range: tuple[int, int] | None = None  # the elements [start, end) of that file
    max_reject_share: float = 0.05
    max_document_bytes: int = MAX_DOCUMENT_BYTES  # decompressed; longer lines and documents are rejects


@dataclass(slots=True)
class Tally:
    """Documents and rejects of the files seen so far."""

    n_files: int = 0
    n_docs: int = 0
    n_rejects: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejects_by_file: Counter[str] = field(default_factory=Counter)
    shards: set[str] = field(default_factory=set)

    def add(self, source_row: dict[str, object], reasons: Counter[str]) -> None:
        """Add one file."""
        self.shards.add(str(source_row["shard_id"]))
        self.n_files += 1
        self.n_docs += int(str(source_row["n_docs"]))
        self.n_rejects += reasons.total()
        self.reasons += reasons
        self.rejects_by_file[str(source_row["source_file"])] += reasons.total()

    def stop_over(self, max_share: float) -> None:
        """Raise StepFailed when more than this share of the records was rejected."""
        n_records = self.n_docs + self.n_rejects
        if n_records and self.n_rejects / n_records > max_share:
            (reason, n_reason), *_ = self.reasons.most_common(1)
            (file, n_file), *_ = self.rejects_by_file.most_common(1)
            raise StepFailed(
                f"{self.n_rejects:,} of {n_records:,} records were rejected ({self.n_rejects / n_records:.1%}, allowed "
                f"{max_share:.1%}), {n_reason:,} for '{reason}', {n_file:,} in {file}; complete files stay ingested: "
                "see raw.rejects, or raise --max-reject-share"
            )


@dataclass(frozen=True, kw_only=True)
class IngestSummary:
    """What a request came to; counts are of all its files, those read before included."""

    corpus: str
    run_id: str
    engine: str
    files_by_format: Counter[str]
    left_out: list[str]  # files of a folder that no reader knows
    same_bytes: list[str]  # files that hold what another one of the request holds
    not_chosen: list[str]  # files of which --global-indices names no instance
    n_new_files: int
    n_new_bytes: int
    tally: Tally
    n_superseded: int  # documents of the corpus that another file's record replaces


def ingest_corpus(
    home: Home,
    paths: list[Path],
    *,
    corpus: str,
    tokenizer: str,
    options: IngestOptions | None = None,
    workers: Workers | None = None,
) -> IngestSummary:
    """Ingest the files below some paths that are not in the corpus yet; who reads them changes no row.

    Raises:
        UsageError: something of the request cannot be served; found before any work.
        StepFailed: more records than allowed were rejected. What was committed stays.
    """
    options, workers = options or IngestOptions(), workers or Processes()
    _check_request(corpus, options)
    files, left_out = find_files(paths, options.format)
    loaded = load_tokenizer(tokenizer)
    with writer_lock(home):
        remove_unfinished(home.lake)
        wanted = check_corpus(home, corpus, loaded, eos_token_id=options.eos_token_id)
        chosen = _chosen_instances(files, wanted, options)
        not_chosen = [file.name for file in files if chosen is not None and not len(chosen[file.path])]
        hashes = workers.file_hashes([file.path for file in files])
        sources = _sources(home, files, hashes, wanted, options, chosen)
        # what was read with the column before holds it
        if options.lang_column and not any(is_committed(home, corpus, source.shard_id) for source in sources):
            check_lang_column(sources, options.lang_column)
        register_corpus(home, wanted, loaded)
        run = Run(
            kind="ingest",
            config=_config(options),
            inputs={source.shard_id: source.file_hash for source in sources},
            corpus=corpus,
            tokenizer_hash=wanted.tokenizer_hash,
        )
        tally = Tally()
        for source in sources:
            if is_committed(home, corpus, source.shard_id):
                tally.add(*_committed(home, source))
        new = [source for source in sources if not is_committed(home, corpus, source.shard_id)]
        engine = tokenizer_engine(home, wanted.tokenizer_hash, probed=loaded.engine)
        write_missing_forms(home)
        match_missing(home)
        try:
            engine = _ingest_sources(home, new, wanted, engine, run.run_id, tally, options.max_reject_share, workers)
        finally:
            # also when the job stops: what was committed is a corpus that can be counted
            n_superseded = update_superseded(home, corpus)
        run.record(home)
    tally.stop_over(options.max_reject_share)
    return IngestSummary(
        corpus=corpus,
        run_id=run.run_id,
        engine=engine,
        files_by_format=Counter(source.file.format for source in sources),
        left_out=left_out,
        same_bytes=sorted({file.name for file in files} - {source.file.name for source in sources} - set(not_chosen)),
        not_chosen=not_chosen,
        n_new_files=len(new),
        n_new_bytes=sum(source.n_bytes for source in new),
        tally=tally,
        n_superseded=n_superseded,
    )


def _check_request(corpus: str, options: IngestOptions) -> None:
    if not _CORPUS_NAME.fullmatch(corpus):
        raise UsageError(f"--corpus {corpus}: use letters, digits, '.', '_' and '-', beginning with a letter or digit")
    if not 0 <= options.max_reject_share <= 1:
        raise UsageError(f"--max-reject-share {options.max_reject_share}: a share lies between 0 and 1")
    if options.max_document_bytes < 1:
        raise UsageError("--max-document-mib: the longest document has to be longer than that")
    if options.lang is not None and not is_language_code(options.lang):
        raise UsageError(f"--lang {options.lang}: not a language code such as en, zho or en-fr")
    if options.lang and options.lang_column:
        raise UsageError("--lang and --lang-column exclude each other: give one of them")
    if options.index_range and not options.global_indices:
        raise UsageError("--index-range needs --global-indices: it names elements of that file")


def _config(options: IngestOptions) -> dict[str, object]:
    """Return the options that say what is read; the index file by its content, and only when there is one."""
    others = ("max_reject_share", "global_indices", "index_range", "max_document_bytes")
    config: dict[str, object] = {key: value for key, value in vars(options).items() if key not in others}
    if options.max_document_bytes != MAX_DOCUMENT_BYTES:
        config["max_document_bytes"] = options.max_document_bytes
    if options.global_indices:
        config |= {"global_indices": file_hash(options.global_indices), "index_range": options.index_range}
    return config


def _chosen_instances(
    files: list[InputFile], corpus: Corpus, options: IngestOptions
) -> dict[Path, npt.NDArray[np.int64]] | None:
    """Return the instances to read of each file, None when all of them are.

    Raises:
        UsageError: a file is not of memmap tokens, or the index file does not fit the files.
    """
    if options.global_indices is None:
        return None
    ordered = sorted(files, key=lambda file: file.place)
    for file in ordered:
        if file.format != memmap.FORMAT:
            raise UsageError(f"{file.path}: --global-indices numbers the instances of memmap files, not {file.format}")
        try:
            memmap.count_instances(file.path, corpus.vocab_size)
        except ValueError as error:
            raise UsageError(f"{file.path} is {error}") from None
    paths = [file.path for file in ordered]
    chosen = choose_instances(options.global_indices, options.index_range, paths, vocab_size=corpus.vocab_size)
    return dict(zip(paths, chosen, strict=True))


def _sources(
    home: Home,
    files: list[InputFile],
    hashes: dict[Path, str],
    corpus: Corpus,
    options: IngestOptions,
    chosen: dict[Path, npt.NDArray[np.int64]] | None,
) -> list[Source]:
    """Return the distinct files of a request. The same bytes under two names are one file.

    Raises:
        UsageError: a file cannot be read as asked, or is in the corpus already, read in another way.
    """
    known = read_table(home, "source_files", columns=["corpus", "shard_id", "file_hash", "source_file"]).to_pylist()
    known_shards = {row["file_hash"]: row["shard_id"] for row in known if row["corpus"] == corpus.corpus}
    sources: dict[str, Source] = {}
    for file in files:
        instances = None if chosen is None else chosen[file.path]
        if instances is not None and not len(instances):
            continue
        problem = None
        if file.format == hf_parquet.FORMAT:
            problem = hf_parquet.check(file.path, lang_column=options.lang_column)
        elif file.format == memmap.FORMAT:
            problem = memmap.check(file.path, vocab_size=corpus.vocab_size, eos_token_id=corpus.eos_token_id)
        if problem:
            raise UsageError(f"{file.path} {problem}")
        content = hashes[file.path]
        lang = language_code(options.lang)
        read_as: list[object] = [_ROWS_VERSION, content, corpus.corpus, corpus.tokenizer_hash, file.format]
        read_as += [lang, options.lang_column]
        if file.format == memmap.FORMAT:
            read_as.append(corpus.eos_token_id)
        if instances is not None:
            read_as.append(hashlib.blake2b(instances.tobytes(), digest_size=16).hexdigest())
        if options.max_document_bytes != MAX_DOCUMENT_BYTES and file.format != memmap.FORMAT:
            read_as.append({"max_document_bytes": options.max_document_bytes})
        shard_id = short_hash(read_as)
        if known_shards.get(content, shard_id) != shard_id:
            raise UsageError(
                f"{file.path} is in corpus {corpus.corpus} already, read with other options "
                "(--format, --lang, --lang-column, --global-indices, --max-document-mib): repeat those, or use another "
                "--corpus name"
            )
        origin = Origin(
            corpus=corpus.corpus,
            shard_id=shard_id,
            source_file=file.name,
            lang=lang,
            lang_column=options.lang_column,
            eos_token_id=corpus.eos_token_id,
            max_document_bytes=options.max_document_bytes,
        )
        sources.setdefault(shard_id, Source(file, content, file.path.stat().st_size, origin, instances))
    return list(sources.values())


def _ingest_sources(
    home: Home,
    sources: list[Source],
    corpus: Corpus,
    engine: str,
    run_id: str,
    tally: Tally,
    max_share: float,
    workers: Workers,
) -> str:
    """Ingest some files; return the engine that encoded the last one.

    When the fast engine is caught inexact, that file and the rest are encoded by the reference.
    """
    try:
        _ingest_with(home, sources, corpus, engine, run_id, tally, max_share, workers)
        return engine
    except EnginesDiffer as difference:
        say(
            f"gigatoken is not exact for tokenizer {corpus.tokenizer_name} ({difference}); using tokenizers, which is "
            "slower. Files ingested before agreed on their samples."
        )
    use_reference_engine(home, corpus.tokenizer_hash)
    rest = []
    for source in sources:
        if not is_committed(home, corpus.corpus, source.shard_id):
            rest.append(source)
        elif source.shard_id not in tally.shards:  # another process committed it meanwhile
            tally.add(*_committed(home, source))
    _ingest_with(home, rest, corpus, "tokenizers", run_id, tally, max_share, workers)
    return "tokenizers"


def _ingest_with(
    home: Home,
    sources: list[Source],
    corpus: Corpus,
    engine: str,
    run_id: str,
    tally: Tally,
    max_share: float,
    workers: Workers,
) -> None:
    tools = Tools(tokenizer_file(home, corpus.tokenizer_hash), engine, word_files(home))
    total = sum(source.n_bytes for source in sources)
    with (
        progress(f"ingesting into {corpus.corpus}", total, "bytes") as advance,
        # closed here: nobody commits anything once this is left, whatever the reason
        closing(workers.commit_files(home, sources, corpus, tools, run_id, advance)) as committed,
    ):
        for row, reasons in committed:
            tally.add(row, reasons)
            if tally.n_docs + tally.n_rejects >= _EARLY_STOP_RECORDS:
                tally.stop_over(max_share)


def _committed(home: Home, source: Source) -> tuple[dict[str, object], Counter[str]]:
    """Return the row and the rejects by reason of a file that was ingested before."""
    corpus = source.origin.corpus
    [row] = pq.read_table(shard_path(home, "source_files", source.shard_id, corpus=corpus)).to_pylist()
    rejects = shard_path(home, "rejects", source.shard_id, corpus=corpus)
    reasons = pq.read_table(rejects, columns=["reason"])["reason"].to_pylist() if row["n_rejects"] else []
    return row, Counter(reasons)
