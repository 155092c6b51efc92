"""The lock files hold what pyproject.toml asks for, in versions that it allows, each file by its hash."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.places import PROJECT
from tools import install

ENTRY = re.compile(r"^([\w.-]+)==([^\s;\\]+)[^\n]*\n((?:[ \t]+--hash=sha256:[0-9a-f]{64}(?: \\)?\n)*)", re.MULTILINE)
SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text())
PYPROJECT = SETTINGS["project"]
SETUP_EXTRAS, ENGINE_EXTRAS = ("dev", "dashboard", "gguf", "site"), ("spark", "lake", "infini-gram")


def locked(name: str) -> dict[str, str]:
    """Return what a lock file holds: name -> version."""
    text = (PROJECT / name).read_text()
    assert "://" not in text, "registries are the machine's business"
    entries = ENTRY.findall(text)
    assert [entry[0] for entry in entries if not entry[2]] == [], "without a hash"
    starts = [line for line in text.splitlines() if not line.startswith(("#", " "))]
    assert len(entries) == len(starts), "lines that are no entries"
    return {canonicalize_name(entry[0]): entry[1] for entry in entries}


def required(extras: tuple[str, ...]) -> list[Requirement]:
    lines = [line for extra in extras for line in PYPROJECT["optional-dependencies"][extra]]
    return [Requirement(line) for line in (*PYPROJECT["dependencies"], *lines)]


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (["requirements.lock"], SETUP_EXTRAS),
        (["requirements.lock", "requirements-engines.lock"], (*SETUP_EXTRAS, *ENGINE_EXTRAS)),
    ],
)
def test_what_is_asked_for_is_locked(files: list[str], extras: tuple[str, ...]) -> None:
    versions = {name: version for file in files for name, version in locked(file).items()}
    makefile = re.search(r"^TORCH \?= torch==(\S+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert makefile is not None
    assert "torch" not in versions
    versions["torch"] = makefile.group(1)
    wrong = [
        f"{requirement} is locked as {versions.get(canonicalize_name(requirement.name))}"
        for requirement in required(extras)
        if versions.get(canonicalize_name(requirement.name), "") not in requirement.specifier
        or canonicalize_name(requirement.name) not in versions
    ]
    assert wrong == []


def test_the_engines_lock_only_adds() -> None:
    assert locked("requirements.lock").keys() & locked("requirements-engines.lock").keys() == set()


def test_what_audits_is_locked_apart() -> None:
    asked = {canonicalize_name(Requirement(line).name) for line in SETTINGS["dependency-groups"]["audit"]}
    assert asked <= locked("requirements-audit.lock").keys()


def test_no_checker_of_formats_makes_every_start_slow() -> None:
    # jsonschema compiles a grammar for 39 rules as it is imported where rfc3987-syntax is installed: a second
    installed = locked("requirements.lock").keys() | locked("requirements-engines.lock").keys()
    assert "rfc3987-syntax" not in installed


def test_uv_asks_the_registries_that_pip_is_configured_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE", "UV_HTTP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://main.invalid/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.invalid/simple https://b.invalid/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("PIP_CERT", "/certificates.pem")
    monkeypatch.setenv("UV_FIND_LINKS", "/chosen/for/uv")
    environment = install.uv_environment()
    assert environment["UV_DEFAULT_INDEX"] == "https://main.invalid/simple"
    assert environment["UV_INDEX"] == "https://a.invalid/simple https://b.invalid/simple"
    assert environment["SSL_CERT_FILE"] == "/certificates.pem"
    assert environment["UV_FIND_LINKS"] == "/chosen/for/uv", "what is set for uv itself stays"
    assert "UV_INDEX" not in install.uv_environment(with_extra=False)
