"""Where the files that come with the product are: in a checkout, and in an installed wheel."""

from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

# What a user may name as it stands in the repository -> the package that holds it.
_HOLDERS = {"profiles": "warehouse.resources", "base_model": "ml"}


@cache
def dbt_project() -> Path:
    """Return the dbt project's folder. It is read-only: target and logs go to the home."""
    return _path("warehouse.resources", "dbt_project")


@cache
def profiles() -> Path:
    """Return the folder of dbt targets, presets and launch configurations."""
    return _path("warehouse.resources", "profiles")


@cache
def deployments() -> Path:
    """Return Prefect's file of deployments."""
    return _path("warehouse.resources", "prefect.yaml")


@cache
def base_model() -> Path:
    """Return the folder of the demo's base model: weights, configuration, tokenizer."""
    return _path("ml", "base_model")


@cache
def checkout() -> Path | None:
    """Return the folder of the git checkout that the code runs from; None for an installed wheel."""
    root = _path("warehouse").parent
    return root if (root / ".git").exists() and (root / "pyproject.toml").exists() else None


def find_shipped(name: str) -> Path | None:
    """Return what a name of the repository stands for, wherever the product is installed; None when for nothing.

    Args:
        name: a path as the documentation writes it, such as `ml/base_model` or `profiles/olmo-tiny.json`.
    """
    parts = PurePosixPath(name).parts
    inner = parts[1:] if parts[:1] == ("ml",) else parts
    if not inner or ".." in inner or inner[0] not in _HOLDERS:
        return None
    path = _path(_HOLDERS[inner[0]], *inner)
    return path if path.exists() else None


def _path(package: str, *names: str) -> Path:
    # wheels are unpacked when they are installed, and links of a checkout followed: every resource is an ordinary path
    return Path(str(files(package).joinpath(*names))).resolve()
