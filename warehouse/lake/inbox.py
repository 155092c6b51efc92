"""The inbox: a folder per corpus, with files that the nightly refresh ingests."""

from dataclasses import dataclass
from pathlib import Path

from warehouse.base.settings import Home
from warehouse.lake.corpora import read_corpora, tokenizer_file
from warehouse.lake.files import read_table


@dataclass(frozen=True)
class InboxFolder:
    """One folder of the inbox that holds files.

    Attributes:
        tokenizer: file of the corpus's own tokenizer; None for a corpus that is not in the warehouse yet.
        n_new_files: files whose name and size no ingested file of the corpus has.
    """

    folder: Path
    tokenizer: Path | None
    n_new_files: int

    @property
    def corpus(self) -> str:
        """The corpus that the folder's files go into."""
        return self.folder.name


def inbox_folders(home: Home, inbox: Path | None = None) -> list[InboxFolder]:
    """Return the folders of an inbox (the home's own) by name; without an inbox, none. Hidden ones do not count."""
    inbox = inbox or home.inbox
    if not inbox.is_dir():
        return []
    known = read_corpora(home)
    rows = read_table(home, "source_files", columns=["corpus", "source_file", "n_bytes"]).to_pylist()
    ingested = {(row["corpus"], row["source_file"], row["n_bytes"]) for row in rows}
    found = []
    for folder in sorted(path for path in inbox.iterdir() if path.is_dir() and not path.name.startswith(".")):
        files = [path for path in folder.rglob("[!.]*") if path.is_file()]
        if not files:
            continue
        new = [f for f in files if (folder.name, f.relative_to(inbox).as_posix(), f.stat().st_size) not in ingested]
        corpus = known.get(folder.name)
        tokenizer = tokenizer_file(home, corpus.tokenizer_hash) if corpus else None
        found.append(InboxFolder(folder, tokenizer, len(new)))
    return found
