"""Results as a page. A stage that was not run is named as such, so that the page of no results says "not run"."""

from typing import Any

from ml.gpu.plan import STAGES

_INTRODUCTION = """# On a GPU: correctness, speed, scales, counting

What `make gpu` found ([how to run it](../gpu.md)). Every figure on this page was measured by that command; a stage
without figures was not run.
"""
_MARKS = {True: "yes", False: "**no**", None: ""}


def render(results: dict[str, Any]) -> str:
    """Return the page of some results; of an empty dict, the page that says that nothing was run."""
    parts = [_INTRODUCTION]
    stages = results.get("stages", {})
    if not any(stage.get("items") for stage in stages.values()):
        parts.append(
            "**Not run**: no machine with a GPU was at hand. No figure is given, measured elsewhere or guessed.\n"
        )
    elif results.get("sizes") == "rehearsal":
        parts.append(
            "**A rehearsal** at tiny sizes: it shows that every stage works, and its figures mean nothing else.\n"
        )
    parts += [_stage(stage.name, stage.answers, stages.get(stage.name, {})) for stage in STAGES]
    return "\n".join(parts)


def _stage(name: str, answers: str, found: dict[str, Any]) -> str:
    lines = [f"## {answers}", ""]
    state = found.get("state", "not run")
    if not found.get("items"):
        lines.append(f"Stage `{name}`: {'not run' if state == 'not run' else state}.\n")
    else:
        lines.append(f"Stage `{name}`: {state}, {found.get('wall_s', 0):.0f} s.\n")
    if checks := found.get("checks"):
        lines += ["| figure | value | held to | within |", "|---|---|---|---|"]
        for check, content in checks.items():
            mark = _MARKS[content["is_within"]]
            lines.append(f"| {check} | {_text(content['value'])} | {content['bound']} | {mark} |")
        lines.append("")
    for title, table in found.get("tables", {}).items():
        lines += [f"### {title}", "", _row(table["columns"]), _row(["---"] * len(table["columns"]))]
        lines += [_row(row) for row in table["rows"]]
        lines.append("")
    errors = {key: value["error"] for key, value in found.get("items", {}).items() if _is_error(value)}
    lines += [f"- {key}: could not be measured: {text}" for key, text in errors.items()]
    lines += [f"- {note}" for note in found.get("notes", [])]
    for title, text in found.get("profiles", {}).items():
        lines += ["", f"Profile of {title}:", "", "```", text.rstrip(), "```"]
    if log := found.get("log"):
        lines += ["", "The end of its log:", "", "```", log.rstrip(), "```"]
    return "\n".join(lines).rstrip() + "\n"


def summary(results: dict[str, Any]) -> tuple[str, bool]:
    """Return a short text for the terminal, and whether nothing failed and every check is within its bound."""
    lines, is_good = [], True
    for stage in STAGES:
        if not (found := results.get("stages", {}).get(stage.name)):
            continue
        lines.append(f"{stage.name:<9} {found.get('state', '')}")
        is_good &= found.get("state") != "failed"
        for name, check in found.get("checks", {}).items():
            sign = {True: "ok", False: "NO", None: "--"}[check["is_within"]]
            lines.append(f"  {sign} {name}: {_text(check['value'])} ({check['bound']})")
            is_good &= check["is_within"] is not False
    return "\n".join(lines), bool(is_good)


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and "error" in value


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|")
