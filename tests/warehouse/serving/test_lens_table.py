"""The lens as a terminal table: the last layer on top, every position once, blocks that fit, white space visible."""

import io
import re

import pyarrow as pa
from rich.console import Console

from warehouse.lake.schemas import RESULT
from warehouse.serving.lens_table import print_lens


def rows(n_positions: int, n_layers: int) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"position": position, "token": f" t{position}", "token_id": 1, "layer": layer, "top_rank": rank,
             "top_token": f"p{position}l{layer}" if rank == 1 else "\n", "top_token_id": rank, "p": 0.5 / rank,
             "entropy": 1.0, "is_watched": rank == 7, "run_id": "r"}
            for position in range(n_positions) for layer in range(n_layers) for rank in (1, 2, 7)
        ],
        schema=RESULT["prompt_lenses"],
    )  # fmt: skip


def printed(width: int, *, n_positions: int = 9, with_probabilities: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_lens(rows(n_positions, 3), console, with_probabilities=with_probabilities)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_every_cell_stands_once_whatever_the_width() -> None:
    for width in (30, 60, 200):
        text = printed(width)
        cells = re.findall(r"p\d+l\d+", text)
        assert sorted(cells) == sorted(f"p{position}l{layer}" for position in range(9) for layer in range(3))
        assert max(map(len, text.splitlines())) <= width
        assert "␣t0" in text


def test_the_last_layer_stands_on_top() -> None:
    text = printed(200)
    assert text.index("p0l2") < text.index("p0l1") < text.index("p0l0")


def test_probabilities_and_watched_tokens_are_shown_when_asked() -> None:
    text = printed(200, with_probabilities=True)
    assert "p3l1 0.50" in text
    assert "watched behind '␣t8'" in text
    assert "0.0714 (7)" in text
    assert "⏎" in text
