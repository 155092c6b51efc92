"""The logit lens of a prompt as a table: layers from the last down to the embeddings, one column per token read."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from warehouse.base.settings import Home
from warehouse.contract.token_text import visible_space
from warehouse.lake.files import shard_path

_LAYER = "layer"
_LIKELY, _UNLIKELY = 0.5, 0.1  # bold above, dim below


def read_rows(home: Home, run_id: str) -> pa.Table:
    """Return the rows of raw.prompt_lenses of one run."""
    return pq.read_table(shard_path(home, "prompt_lenses", run_id))


def print_lens(rows: pa.Table, console: Console, *, with_probabilities: bool) -> None:
    """Print the top token of every position and layer, then the watched tokens behind the last position.

    As many positions stand side by side as the terminal has room for.
    """
    listed = rows.to_pylist()
    best = {(row["position"], row["layer"]): row for row in listed if row["top_rank"] == 1}
    layers = sorted({layer for _, layer in best}, reverse=True)
    columns = []
    for position in sorted({position for position, _ in best}):
        own = [best[position, layer] for layer in layers]
        columns.append((visible_space(own[0]["token"]), [_cell(row, with_probabilities) for row in own]))
    for block in _blocks(columns, console.width - len(_LAYER) - 4):
        table = Table(_LAYER, *(escape(header) for header, _ in block))
        for place, layer in enumerate(layers):
            table.add_row(str(layer), *(cells[place] for _, cells in block))
        console.print(table)
    if watched := [row for row in listed if row["is_watched"]]:
        _print_watched(watched, layers, console)


def _print_watched(rows: list[dict[str, Any]], layers: list[int], console: Console) -> None:
    last = max(row["position"] for row in rows)
    by_cell = {(row["top_token"], row["layer"]): row for row in rows if row["position"] == last}
    tokens = sorted({token for token, _ in by_cell})
    read = next(row["token"] for row in rows if row["position"] == last)
    console.print(Text(f"watched behind {visible_space(read)!r}: probability (rank)"))
    table = Table(_LAYER, *(escape(visible_space(token)) for token in tokens))
    for layer in layers:
        cells = (by_cell[token, layer] for token in tokens)
        table.add_row(str(layer), *(f"{row['p']:.4f} ({row['top_rank']:,})" for row in cells))
    console.print(table)


def _cell(row: dict[str, Any], with_probabilities: bool) -> Text:
    shown = visible_space(row["top_token"])
    style = "bold" if row["p"] >= _LIKELY else "dim" if row["p"] < _UNLIKELY else ""
    return Text(f"{shown} {row['p']:.2f}" if with_probabilities else shown, style=style)


def _blocks(columns: list[tuple[str, list[Text]]], width: int) -> list[list[tuple[str, list[Text]]]]:
    """Cut columns into blocks that fit a width; a column wider than that stands alone."""
    blocks: list[list[tuple[str, list[Text]]]] = []
    room = 0
    for header, cells in columns:
        needed = max([cell_len(header), *(cell.cell_len for cell in cells)]) + 3
        if needed > room:
            blocks.append([])
            room = width
        blocks[-1].append((header, cells))
        room -= needed
    return blocks
