"""Addresses of shared lakes: what is understood, and what is refused before anything is opened."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from warehouse.base.errors import UsageError
from warehouse.cli import app
from warehouse.engines.ducklake import storage
from warehouse.engines.ducklake.address import resolve


def test_addresses_are_absolute_and_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("ducklake:here.ducklake", "data").catalog == f"ducklake:{tmp_path}/here.ducklake"
    assert resolve("ducklake:here.ducklake", "data").data == f"{tmp_path}/data/"
    assert (
        resolve("ducklake:postgres:dbname=a host=b").catalog == "ducklake:postgres:dbname=a host=b connect_timeout=10"
    )
    assert resolve("ducklake:postgres:dbname=a connect_timeout=3").catalog.count("connect_timeout") == 1
    assert resolve("ducklake:postgres:postgresql://u@h/a").catalog == "ducklake:postgres:postgresql://u@h/a"
    assert resolve("ducklake:x", "s3://bucket/a b//").data == "s3://bucket/a b/"


def test_the_environment_names_a_lake_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIVOTS_CATALOG", "ducklake:/srv/a.ducklake")
    monkeypatch.setenv("PIVOTS_CATALOG_DATA", "/srv/files")
    assert resolve(None).data == "/srv/files/"
    assert resolve("ducklake:/srv/b").catalog == "ducklake:/srv/b"


@pytest.mark.parametrize(
    ("catalog", "data", "says"),
    [
        (None, None, "PIVOTS_CATALOG"),
        ("postgres:dbname=a", None, "starts with ducklake:"),
        ("ducklake:", None, "names no file"),
        ("ducklake:mysql:dbname=a", None, "PostgreSQL database"),
        ("ducklake:postgres:dbname=a password=p", None, "PGPASSWORD"),
        ("ducklake:postgres:postgresql://u:p@h/a", None, "PGPASSWORD"),
        ("ducklake:a", "gs://bucket/a", "S3-compatible"),
        ("ducklake:a", "s3://", "names no bucket"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, catalog: str | None, data: str | None, says: str
) -> None:
    monkeypatch.delenv("PIVOTS_CATALOG", raising=False)
    with pytest.raises(UsageError, match=says) as refused:
        resolve(catalog, data)
    assert "\n" not in str(refused.value)
    assert "password=p" not in str(refused.value)


def test_object_storage_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert storage.object_store() is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY"):
        storage.object_store()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9000")
    with pytest.raises(UsageError, match="scheme and host"):
        storage.object_store()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    store = storage.object_store()
    assert store is not None
    assert (store.host, store.is_plain_http) == ("127.0.0.1:9000", True)


def test_as_of_and_slim_need_the_right_warehouse() -> None:
    asked = CliRunner().invoke(app, ["sql", "select 1", "--as-of", "3"], env={"PIVOTS_CATALOG": ""})
    assert isinstance(asked.exception, UsageError)
    assert "--catalog" in str(asked.exception)
    slim = CliRunner().invoke(app, ["build", "--slim", "--catalog", "ducklake:x"])
    assert isinstance(slim.exception, UsageError)
