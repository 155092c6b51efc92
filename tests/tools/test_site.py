"""The documentation's site: links, tutorials, generated pages, the map, and what is loaded from elsewhere."""

import subprocess
from pathlib import Path

import pytest
import yaml

from support.places import PROJECT
from tools.site import tutorials
from tools.site.__main__ import expanded, pages_without_place
from tools.site.contracts import read_marts, references
from tools.site.marts_map import MAP, map_of_marts
from tools.site.outside import outside_loads
from tools.site.pages import Pages
from tools.site.problems import Stale
from tools.site.reference import REFERENCE_PAGES, write_reference


def repository(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def test_links_go_where_the_site_has_it(tmp_path: Path) -> None:
    root = repository(
        tmp_path / "repository",
        {
            "README.md": "# A\n\n[how](docs/how.md#step) [web](https://ex.org) [me](#a)\n\n```\n[x](no.md)\n```\n",
            "docs/how.md": "# B\n[home](../README.md) [code](../src/code.py) [all](../src) [made](reference/cli.md)\n",
            "src/code.py": "print(1)\n",
        },
    )
    pages = Pages(root, tmp_path / "site", generated=("reference/cli.md",))
    pages.copy_all()
    pages.show_sources()
    read = (tmp_path / "site/index.md").read_text()
    assert "[how](how.md#step) [web](https://ex.org) [me](#a)" in read
    assert "[x](no.md)" in read, "code is left alone"
    how = (tmp_path / "site/how.md").read_text()
    assert "[home](index.md) [code](source/src/code.py.md) [all](source/src.md) [made](reference/cli.md)" in how
    assert "print(1)" in (tmp_path / "site/source/src/code.py.md").read_text()
    assert "[code.py](src/code.py.md)" in (tmp_path / "site/source/src.md").read_text()


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository", {"docs/a.md": "# A\n\n[b](b.md)\n", "docs/c.md": "# C\n\n![d](d.svg)\n"})
    with pytest.raises(Stale) as problem:
        Pages(root, tmp_path / "site").copy_all()
    assert problem.value.lines == ["docs/a.md: b.md does not exist", "docs/c.md: d.svg does not exist"]


def tutorial(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


GOOD = """# T

```text title="in/names.txt"
b
a
```

```console
$ sort in/names.txt
a
b
$ echo "one
two"
one
two
```

Between.

```console
$ echo took 3.1 s; seq 5; echo end
took 99 s
1
...
end
```
"""


def test_a_tutorial_runs_in_order_and_is_held_to_its_outputs(tmp_path: Path) -> None:
    page = tutorial(tmp_path, GOOD)
    (tmp_path / "work").mkdir()
    assert tutorials.run_tutorial(page, tmp_path / "work") == []
    stale = tutorial(tmp_path, GOOD.replace("a\nb\n$", "a\nc\n$"))
    (tmp_path / "again").mkdir()
    (difference,) = tutorials.run_tutorial(stale, tmp_path / "again")
    assert difference.startswith("page.md: `sort in/names.txt` prints otherwise:")


def test_outputs_are_written_where_they_differ_and_nowhere_else(tmp_path: Path) -> None:
    page = tutorial(tmp_path, GOOD.replace("a\nb\n$", "$").replace("one\ntwo\n```", "gone\n```"))
    (tmp_path / "work").mkdir()
    assert tutorials.run_tutorial(page, tmp_path / "work", write=True) == []
    assert page.read_text() == GOOD


def test_a_command_that_fails_ends_the_tutorial(tmp_path: Path) -> None:
    page = tutorial(tmp_path, "```console\n$ echo x >&2; exit 3\n$ touch reached\n```\n")
    with pytest.raises(Stale) as problem:
        tutorials.run_all([page])
    assert problem.value.lines[0] == "page.md: `echo x >&2; exit 3` ended with 3: x"
    (tmp_path / "work").mkdir()
    tutorials.run_tutorial(page, tmp_path / "work", write=True)
    assert not (tmp_path / "work" / "reached").exists()


def test_what_pages_load_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://ok.example">x</a><script src="https://cdn.example/x.js"></script><img src="b.png">'
        '<link rel="stylesheet" href="//fonts.example/f.css"><link rel="canonical" href="https://ok.example/a">'
    )
    (tmp_path / "s.css").write_text("@import 'https://fonts.example/g.css'; p { background: url(data:x) }")
    assert outside_loads(tmp_path) == [
        "a.html loads https://cdn.example/x.js",
        "a.html loads //fonts.example/f.css",
        "s.css loads https://fonts.example/g.css",
    ]


def test_every_page_has_a_place_in_the_navigation(tmp_path: Path) -> None:
    nav = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["nav"]
    assert pages_without_place(nav) == []
    assert pages_without_place([{"A": ["experiments/*", "decisions/*"]}])[0] == "add-a-strategy.md"
    (tmp_path / "b").mkdir()
    for name in ("z", "index", "a"):
        (tmp_path / "b" / f"{name}.md").write_text("# x")
    assert expanded([{"A": ["b/*"]}], tmp_path) == [{"A": ["b/index.md", "b/a.md", "b/z.md"]}]


def test_the_map_is_what_the_contracts_say() -> None:
    drawn = map_of_marts(PROJECT)
    assert MAP.read_text() == drawn, "run `python -m tools.site --write-outputs --without-tutorials`"
    assert all(f">{mart.name}<" in drawn for mart in read_marts(PROJECT))


def test_columns_point_at_the_dimensions_whose_key_they_complete() -> None:
    marts = {mart.name: mart for mart in read_marts(PROJECT)}
    dimensions = [mart for mart in marts.values() if mart.is_dimension]
    assert references(marts["fct_strategy_comparison"], dimensions)["baseline"] == ["dim_strategies"]
    assert references(marts["fct_pivot_candidates"], dimensions)["token_id"] == ["dim_tokens"]
    assert "token_id" not in references(marts["dim_tokens"], dimensions)


def test_reference_pages_name_everything(tmp_path: Path) -> None:
    from warehouse.lake.schemas import SCHEMAS
    from warehouse.serving import queries

    write_reference(PROJECT, tmp_path, Pages(PROJECT, tmp_path))
    text = {name: (tmp_path / name).read_text() for name in REFERENCE_PAGES}
    for mart in read_marts(PROJECT):
        assert f"\n### {mart.name}\n" in text["reference/marts.md"]
        assert all(column.name in text["reference/marts.md"] for column in mart.columns)
    for table, schema in SCHEMAS.items():
        section = text["reference/raw-tables.md"].split(f"\n### {table}\n")[1].split("\n### ")[0]
        assert [name for name in schema.names if f"| {name} |" not in section] == []
        assert section.strip().startswith(("One row", "One ")), table
    functions = [name for name in queries.__all__ if callable(getattr(queries, name))]
    assert [name for name in functions if f"\n### {name}\n" not in text["reference/queries.md"]] == []
    assert "| `--scale` `FLOAT` |" in text["reference/cli.md"]
    assert "{{" not in "".join(text.values()), "a reference of dbt that was not filled in"
    for program in ("held_out", "prompt_lens", "score", "sentences", "trace", "train"):
        assert f"\n## ml.{program}\n" in text["reference/programs.md"]
