"""The first step that a home still lacks, so that no command sends its user to one that would refuse too."""

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.lake.files import read_table


def check_counted(home: Home) -> None:
    """Raise UsageError naming the first step that a build needs and the home lacks."""
    if missing := _missing_for_build(home):
        raise UsageError(missing)


def nothing_built(home: Home) -> str:
    """Say what a home without marts lacks first."""
    return _missing_for_build(home) or f"nothing is built in {home.root}: run `pivots build`"


def nothing_published(home: Home) -> str:
    """Say what a home without a published copy lacks first."""
    is_built = (home.dbt_target / "run_results.json").exists()
    return f"nothing is published in {home.root}: run `pivots publish`" if is_built else nothing_built(home)


def _missing_for_build(home: Home) -> str | None:
    if read_table(home, "counts", columns=["corpus"]).num_rows:
        return None
    if read_table(home, "infini_gram_counts", columns=["corpus"]).num_rows:
        return None  # of an index: a corpus that is not in this warehouse
    corpora = read_table(home, "corpora", columns=["corpus"])["corpus"].to_pylist()
    if not corpora:
        return (
            f"nothing is ingested in {home.root}: run `pivots ingest PATH --corpus NAME --tokenizer FILE`, or all steps"
            " at once with `pivots run FOLDER --tokenizer FILE --words FILE`"
        )
    if not read_table(home, "translation_items", columns=["item_id"]).num_rows:
        return f"no word list is imported in {home.root}: run `pivots words import FILE`, then `pivots count`"
    return f"nothing is counted in {home.root}: run `pivots count --corpus {min(corpora)}`"
