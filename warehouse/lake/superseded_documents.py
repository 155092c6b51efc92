"""One id, one document, over all files of a corpus: the documents that another file's record replaces.

The state says which files it was made of, by their names, which carry their content. Clocks and copies without times
change nothing: what was made of other files is made again.
"""

from pathlib import Path

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.lake.connections import open_memory
from warehouse.lake.document_order import DOCUMENT_ORDER
from warehouse.lake.files import current_files, shard_path, write_table
from warehouse.lake.schemas import SHARDED, STATE

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
        row_number() over (partition by doc_id order by {order}) as place,
        first_value(content_hash) over (partition by doc_id order by {order}) as kept_content,
        first_value(source_file) over (partition by doc_id order by {order}) as kept_file,
        first_value(line_number) over (partition by doc_id order by {order}) as kept_line
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
    return _LOSERS.format(documents=documents, corpus=corpus, order=f"{DOCUMENT_ORDER}, shard_id")


def bring_all_superseded_up_to_date(home: Home) -> None:
    """Do `bring_superseded_up_to_date` for every corpus. The caller holds the writer lock."""
    for corpus in sorted({path.parent.name for path in current_files(home, "documents")}):
        bring_superseded_up_to_date(home, corpus)


def bring_superseded_up_to_date(home: Home, corpus: str) -> None:
    """Find replaced records again unless that was done for just the files that are committed now.

    It was not when an ingest was killed before it, or the state comes from another copy of the home. The caller holds
    the writer lock.
    """
    files = _documents(home, corpus)
    made_of = _made_of_file(home, corpus)
    if files and (not made_of.exists() or made_of.read_text() != _made_of(home, corpus, files)):
        update_superseded(home, corpus)


def update_superseded(home: Home, corpus: str) -> int:
    """Find the documents of a corpus that another file's record replaces; return how many.

    They are listed in raw.superseded_documents, which the document views leave out, and are rows of raw.rejects.
    """
    files = _documents(home, corpus)
    if not files:
        return 0
    with open_memory() as connection:
        names = [str(file) for file in files]
        losers = connection.execute(losers_sql("read_parquet(?)", "?"), [names, corpus]).to_arrow_table()
    rejects = losers.select(SHARDED["rejects"].names)
    write_table(shard_path(home, "rejects", REJECTS_NAME, corpus=corpus), "rejects", rejects)
    state = losers.select(STATE["superseded_documents"].names)
    write_table(_state_file(home, corpus), "superseded_documents", state)
    mark_up_to_date(home, corpus)  # last: without it the state does not count
    return losers.num_rows


def mark_up_to_date(home: Home, corpus: str) -> None:
    """Say that the state, as it is, was made of the files that are committed now."""
    with atomic_file(_made_of_file(home, corpus)) as unfinished:
        unfinished.write_text(_made_of(home, corpus, _documents(home, corpus)))


def _documents(home: Home, corpus: str) -> list[Path]:
    return [file for file in current_files(home, "documents") if file.parent.name == corpus]


def _state_file(home: Home, corpus: str) -> Path:
    return shard_path(home, "superseded_documents", "state", corpus=corpus)


def _made_of_file(home: Home, corpus: str) -> Path:
    """Return the file beside the state: in it, the state would change with every file, and counts with the state."""
    return _state_file(home, corpus).with_name("state.made-of")


def _made_of(home: Home, corpus: str, files: list[Path]) -> str:
    """Return what the state is when it was made of these files: a hash of their names and of the state itself."""
    state = _state_file(home, corpus)
    return short_hash([[file.stem for file in files], file_hash(state) if state.exists() else None])
