"""A program's request: its entries as command-line options, or the path of a file that holds them."""

import argparse
import types
from pathlib import Path
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from warehouse.contract.errors import UsageError
from warehouse.contract.presets import problems_of
from warehouse.contract.requests import Request, read_request

Asked = TypeVar("Asked", bound=Request)


class OneLineParser(argparse.ArgumentParser):
    """A parser whose refusals are one line, as all of the product's are."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage."""
        raise UsageError(message)


def parse(kind: type[Asked], argv: list[str] | None) -> Asked:
    """Return a request from `--request FILE` or from one option per entry.

    Raises:
        UsageError: options are missing, unknown or impossible; names all of them.
    """
    arguments = request_parser(kind).parse_args(argv)
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    if (file := given.pop("request", None)) is not None:
        if given:
            raise UsageError(f"--request {file} says everything: give no {', '.join(map(_option, sorted(given)))}")
        return read_request(file, kind)
    return from_options(kind, given)


def request_parser(kind: type[Request], *, without: tuple[str, ...] = ()) -> argparse.ArgumentParser:
    """Return the parser of a program: `--request`, and an option for each entry of its request but `without`."""
    name = kind.model_fields["program"].default
    parser = OneLineParser(prog=f"ml.{name}", description=kind.__doc__, allow_abbrev=False)
    parser.add_argument("--request", type=Path, metavar="FILE", help="a file with all that follows, as `pivots` writes")
    for entry, field in kind.model_fields.items():
        if entry not in ("program", *without):
            parser.add_argument(_option(entry), **_how(field))
    return parser


def from_options(kind: type[Asked], given: dict[str, Any]) -> Asked:
    """Return the request that options make up. Raises UsageError, which names all mistakes by their options."""
    try:
        return kind.model_validate({name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})
    except ValidationError as mistakes:
        raise UsageError(*problems_of(mistakes, named=_option)) from None


def _option(entry: str) -> str:
    return f"--{entry.replace('_', '-')}"


def _how(field: FieldInfo) -> dict[str, Any]:
    """Return how argparse reads an entry: its type, whether it repeats, and what its help says."""
    about = field.description or ""
    default = field.get_default()
    if field.is_required():
        about += " (required)"
    elif default not in (None, (), "auto") and "default" not in about:
        about += f" (default: {default})"
    plain = _plain_type(field.annotation)
    if get_origin(plain) is tuple:
        what, _, about = about.partition(": ")
        (item, _) = get_args(plain)
        return {"action": "append", "type": _plain_type(item), "metavar": what, "help": f"{about}; may be repeated"}
    if plain is bool:
        return {"action": "store_true", "default": None, "help": about}
    return {"type": plain, "help": about}


def _plain_type(annotation: Any) -> Any:
    """Return int for int, Annotated[int, ...] and int | None; likewise for other types."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (option for option in get_args(annotation) if option is not type(None))
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    return annotation
