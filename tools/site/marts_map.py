"""The map of the marts: an entity-relationship picture drawn from the contracts, dbt_project/assets/marts.svg.

Lines from forty tables to a dozen dimensions would be a thicket. A dimension has a colour instead, and a column that
points at it wears that colour and says its name.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from tools import REPOSITORY
from tools.site.contracts import Mart, read_marts, references

MAP = REPOSITORY / "dbt_project" / "assets" / "marts.svg"
_PANELS = {  # folder of models/marts -> its title on the map
    "corpus": "Corpus",
    "pivots": "Pivots",
    "selection": "Selection",
    "training": "Training",
    "scores": "Scores",
    "comparisons": "Comparisons",
    "layers": "Layers",
    "latent": "Latent languages",
    "interventions": "Interventions",
}
_COLOURS = (  # dark enough to be read on white
    "#0b6e69", "#b3480b", "#5b3fb0", "#a11d5c", "#1d6b2e", "#1f5fa8", "#7a5c00", "#8c2f2f", "#4a5a6a", "#00708c",
)  # fmt: skip
_N_COLUMNS = 4
_WIDTH, _GAP, _PAD = 1560, 20, 12  # px, as all that follows
_LINE, _HEAD = 17, 24
_CHARS = 46  # of a box's small print, a line
_MAX_OTHER_LINES = 3


@dataclass(frozen=True)
class _Row:
    text: str
    colour: str
    is_key: bool
    points_at: str


@dataclass(frozen=True)
class _Box:
    mart: Mart
    colour: str
    rows: list[_Row]
    others: list[str]

    @property
    def height(self) -> int:
        return _HEAD + _LINE * (len(self.rows) + len(self.others)) + 8


def map_of_marts(repository: Path) -> str:
    """Return the map as SVG, the same bytes for the same contracts."""
    marts = read_marts(repository)
    dimensions = [mart for mart in marts if mart.is_dimension]
    colours = {mart.name: _COLOURS[n % len(_COLOURS)] for n, mart in enumerate(dimensions)}
    boxes = [_box(mart, dimensions, colours) for mart in marts]
    width = (_WIDTH - _GAP * (_N_COLUMNS + 1)) // _N_COLUMNS
    parts: list[str] = []
    top = 64
    for folder, title in _PANELS.items():
        of_panel = [box for box in boxes if box.mart.folder == folder]
        heights = [0] * _N_COLUMNS
        drawn = []
        for box in of_panel:
            column = heights.index(min(heights))
            drawn.append((box, _GAP + column * (width + _GAP), top + 40 + heights[column]))
            heights[column] += box.height + _PAD
        parts.append(
            f'<rect x="8" y="{top}" width="{_WIDTH - 16}" height="{max(heights) + 44}" rx="10" fill="#f4f6f8"/>'
            f'<text x="{_GAP}" y="{top + 26}" class="panel">{title}</text>'
        )
        parts += [_drawn(box, x, y, width) for box, x, y in drawn]
        top += max(heights) + 44 + _PAD
    return _page(parts, top)


def _box(mart: Mart, dimensions: list[Mart], colours: dict[str, str]) -> _Box:
    pointing = references(mart, dimensions)
    rows, others = [], []
    for column in mart.columns:
        targets = pointing.get(column.name, [])
        if column.name in mart.key or targets:
            colour = colours[targets[0]] if targets else "#1b2733"
            rows.append(_Row(column.name, colour, column.name in mart.key, " ".join(targets)))
        else:
            others.append(column.name)
    return _Box(mart, colours.get(mart.name, "#33414e"), rows, _wrapped(others))


def _wrapped(names: list[str]) -> list[str]:
    """Return names as lines of small print; what does not fit is counted."""
    lines, line = [], ""
    for n, name in enumerate(names):
        longer = f"{line}, {name}" if line else name
        if len(longer) > _CHARS:
            lines.append(f"{line},")
            line = name
        else:
            line = longer
        if len(lines) == _MAX_OTHER_LINES:
            lines[-1] = f"{lines[-1]} + {len(names) - n} more"
            return lines
    return [*lines, line] if line else lines


def _drawn(box: _Box, x: int, y: int, width: int) -> str:
    parts = [
        f'<rect x="{x}" y="{y}" width="{width}" height="{box.height}" rx="6" fill="#ffffff" stroke="{box.colour}"'
        f' stroke-width="{2 if box.mart.is_dimension else 1}"/>',
        f'<path d="M{x} {y + _HEAD}v{6 - _HEAD}a6 6 0 0 1 6 -6h{width - 12}a6 6 0 0 1 6 6v{_HEAD - 6}z"'
        f' fill="{box.colour}"/>',
        f'<text x="{x + 10}" y="{y + 17}" class="name">{box.mart.name}</text>',
    ]
    line = y + _HEAD + _LINE - 2
    for row in box.rows:
        mark = '<tspan class="key">◆ </tspan>' if row.is_key else '<tspan class="key">&#160;&#160;&#160;</tspan>'
        target = f'<tspan class="target"> → {escape(row.points_at)}</tspan>' if row.points_at else ""
        style = ' font-weight="600"' if row.is_key else ""
        parts.append(
            f'<text x="{x + 10}" y="{line}" fill="{row.colour}"{style}>{mark}{escape(row.text)}{target}</text>'
        )
        line += _LINE
    for text in box.others:
        parts.append(f'<text x="{x + 10}" y="{line}" class="other">{escape(text)}</text>')
        line += _LINE
    return "\n".join(parts)


def _page(parts: list[str], height: int) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
            ' aria-label="Map of the marts: tables, their keys, and the dimensions that their columns point at">',
            "<style>text{font:13px ui-sans-serif,system-ui,'DejaVu Sans',sans-serif}.name{font-weight:700;fill:#fff}"
            ".panel{font-size:18px;font-weight:700;fill:#33414e}.other{font-size:12px;fill:#5b6875}"
            ".target{font-weight:400}.title{font-size:22px;font-weight:700;fill:#1b2733}.legend{fill:#33414e}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            '<text x="20" y="30" class="title">The marts</text>',
            '<text x="20" y="52" class="legend">◆ columns that name a row together · → a column that joins the'
            " dimension of its colour, with the columns of that dimension's key · grey: other columns</text>",
            *parts,
            "</svg>",
            "",
        ]
    )
