"""One id, one document: which record wins when files of a corpus disagree, whatever their order."""

from warehouse.base.settings import Home
from warehouse.lake.connections import open_memory
from warehouse.lake.files import current_files, shard_path, write_table
from warehouse.lake.schemas import SHARDED, STATE

# The smallest content wins; then a stated language before a detected one. Records that still tie have equal rows.
RANK = "content_hash, lang_source = 'detector', lang, lang_source, shard_id"
REJECTS_NAME = "duplicates-across-files"

_LOSERS = """
with documents as (
    select shard_id, doc_id, source_id, source_file, line_number, content_hash, lang, lang_source
    from {documents}
),
shared as (
    select doc_id from documents group by doc_id having count(*) > 1
),
ranked as (
    select
        *,
        row_number() over (partition by doc_id order by {rank}) as place,
        first_value(content_hash) over (partition by doc_id order by {rank}) as kept_content,
        first_value(source_file) over (partition by doc_id order by {rank}) as kept_file,
        first_value(line_number) over (partition by doc_id order by {rank}) as kept_line
    from documents
    where doc_id in (select doc_id from shared)
)
select
    {corpus} as corpus,
    shard_id,
    doc_id,
    source_file,
    line_number,
    'ingest' as step,
    if(content_hash = kept_content, 'duplicate id', 'duplicate id with other text') as reason,
    left('line ' || kept_line || ' of ' || kept_file || ' was kept', 200) as detail
from ranked
where place > 1
order by shard_id, doc_id
"""


def losers_sql(documents: str, corpus: str) -> str:
    """Return the query for the documents of one corpus that another record replaces, and what to say of them.

    Args:
        documents: SQL of a relation that holds the corpus's documents.
        corpus: SQL of the corpus's name.
    """
    return _LOSERS.format(documents=documents, corpus=corpus, rank=RANK)


def bring_all_superseded_up_to_date(home: Home) -> None:
    """Do `bring_superseded_up_to_date` for every corpus. The caller holds the writer lock."""
    for corpus in sorted({path.parent.name for path in current_files(home, "documents")}):
        bring_superseded_up_to_date(home, corpus)


def bring_superseded_up_to_date(home: Home, corpus: str) -> None:
    """Find replaced records again when files were committed after that was last done: an ingest was killed between.

    The caller holds the writer lock.
    """
    state = shard_path(home, "superseded_documents", "state", corpus=corpus)
    done_at = state.stat().st_mtime_ns if state.exists() else -1
    files = (path for path in current_files(home, "source_files") if path.parent.name == corpus)
    if max((path.stat().st_mtime_ns for path in files), default=-1) > done_at:
        update_superseded(home, corpus)


def update_superseded(home: Home, corpus: str) -> int:
    """Find the documents of a corpus that another file's record replaces; return how many.

    They are listed in raw.superseded_documents, which the document views leave out, and are rows of raw.rejects.
    """
    files = [str(f) for f in current_files(home, "documents") if f.parent.name == corpus]
    if not files:
        return 0
    with open_memory() as connection:
        losers = connection.execute(losers_sql("read_parquet(?)", "?"), [files, corpus]).to_arrow_table()
    state = losers.select(STATE["superseded_documents"].names)
    path = shard_path(home, "superseded_documents", "state", corpus=corpus)
    write_table(path, "superseded_documents", state)
    rejects = losers.select(SHARDED["rejects"].names)
    write_table(shard_path(home, "rejects", REJECTS_NAME, corpus=corpus), "rejects", rejects)
    return losers.num_rows
