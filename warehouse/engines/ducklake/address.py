"""Where a shared lake is: its catalogue, where its files go, and nothing secret."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import short_hash

CATALOG_VARIABLE = "PIVOTS_CATALOG"
DATA_VARIABLE = "PIVOTS_CATALOG_DATA"
_PREFIX = "ducklake:"
_POSTGRES = re.compile(r"postgres(ql)?:(?!//)", re.IGNORECASE)
_PASSWORD = re.compile(r"\bpassword\s*=|://[^/@\s]*:[^/@\s]*@", re.IGNORECASE)
_CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Address:
    """One shared lake.

    Attributes:
        catalog: what DuckDB attaches: `ducklake:postgres:dbname=... host=...` or `ducklake:/absolute/file`.
        data: where the files of a new lake go, an absolute folder or an s3:// URL, ending in '/'; None: the catalogue
            knows (it keeps what it was made with).
    """

    catalog: str
    data: str | None

    def working_home(self, home: Home) -> Home:
        """Return the folder below `home` in which builds of this lake do their work; readers never need it."""
        return Home(home.root / "catalogs" / short_hash(self.catalog))


def resolve(catalog: str | None, data: str | None = None) -> Address:
    """Return the address given by the options, else by PIVOTS_CATALOG and PIVOTS_CATALOG_DATA.

    Raises:
        UsageError: no catalogue is named, or one that cannot be served.
    """
    named = catalog or os.environ.get(CATALOG_VARIABLE)
    if not named:
        raise UsageError(f"no catalogue is named: give --catalog ducklake:postgres:... or set {CATALOG_VARIABLE}")
    if _PASSWORD.search(named):
        raise UsageError("the catalogue's address holds a password: set PGPASSWORD instead, or use ~/.pgpass")
    return Address(_catalog(named), _data(data or os.environ.get(DATA_VARIABLE)))


def _catalog(named: str) -> str:
    if not named.startswith(_PREFIX):
        raise UsageError(f"--catalog {named}: an address starts with ducklake:postgres: or ducklake:FILE")
    rest = named.removeprefix(_PREFIX)
    if _POSTGRES.match(rest):
        connection = _POSTGRES.sub("", rest, count=1).strip()
        if "://" not in connection and "connect_timeout" not in connection:
            connection = f"{connection} connect_timeout={_CONNECT_TIMEOUT_S}".strip()
        return f"{_PREFIX}postgres:{connection}"
    if re.match(r"[a-z0-9]{2,}:", rest, re.IGNORECASE):
        raise UsageError(f"--catalog {named}: the catalogue is a PostgreSQL database (ducklake:postgres:...) or a file")
    if not rest:
        raise UsageError("--catalog ducklake: names no file and no database")
    return _PREFIX + str(Path(rest).expanduser().resolve())


def _data(named: str | None) -> str | None:
    if not named:
        return None
    if named.startswith("s3://"):
        if not named.removeprefix("s3://").strip("/"):
            raise UsageError("--data s3:// names no bucket: give s3://BUCKET/PREFIX")
        return named.rstrip("/") + "/"
    if re.match(r"[a-z0-9+.-]{2,}:", named, re.IGNORECASE):
        raise UsageError(f"--data {named}: the files go to a folder or to S3-compatible storage (s3://BUCKET/PREFIX)")
    return str(Path(named).expanduser().resolve()) + "/"
