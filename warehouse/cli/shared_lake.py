"""Commands for a lake that several machines share; `build` and `sql` take --catalog too."""

from typing import Annotated

import typer

from warehouse.cli.options import CatalogOption, HomeOption


def register(app: typer.Typer) -> None:
    """Add `migrate`, `pull` and `snapshots`."""
    app.command()(migrate)
    app.command()(pull)
    app.command()(snapshots)


def migrate(
    catalog: CatalogOption = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR_OR_URL",
            envvar="PIVOTS_CATALOG_DATA",
            show_envvar=False,
            help="Where a new lake's files go: a folder that every machine sees, or s3://BUCKET/PREFIX "
            "[default: PIVOTS_CATALOG_DATA; a lake that exists knows].",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Count and hash the lake's raw tables when all is there.")
    ] = True,
    home: HomeOption = None,
) -> None:
    """Register this home's raw shards in a shared lake, each once, and give a lake without marts this home's.

    Run it again after every ingest, count or run: it registers what is new. Killed, it goes on where it was.

    Example: `pivots migrate --catalog "ducklake:postgres:dbname=lake host=db user=pivots" --data s3://bucket/lake`
    """
    from warehouse.base.progress import progress
    from warehouse.base.settings import Home
    from warehouse.engines.ducklake.address import resolve
    from warehouse.engines.ducklake.migrate import migrate as run_migration
    from warehouse.engines.ducklake.register import shards

    address, resolved = resolve(catalog, data), Home.resolve(home)
    with progress("registering", total=len(shards(resolved)), unit="shards") as advance:
        done = run_migration(resolved, address, verify=verify, advance=advance)
    print(f"registered {len(done.registered):,} shards in {address.catalog}")
    for table in done.tables:
        if table.n_files:
            files = f"{table.n_files:>7,} files"
            print(f"  raw.{table.table:<40}{table.n_rows:>14,} rows  {f'{table.content:x}'[-8:]:>8}  {files}, equal")
    for mart in done.marts:
        print(f"  marts.{mart.name:<38}{mart.n_rows:>14,} rows  {f'{mart.content:x}'[-8:]:>8}")
    if not done.marts:
        print("marts: left as they are; `pivots build --catalog ...` builds them from all that is registered")


def pull(
    catalog: CatalogOption = None,
    corpus: Annotated[
        list[str] | None, typer.Option("--corpus", metavar="NAME", help="Only this one [default: all]; repeatable.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Bring this home what others have registered in a shared lake: to count, export or report on all of it here.

    Example: `pivots pull --catalog "ducklake:postgres:dbname=lake host=db user=pivots" --corpus demo`
    """
    from warehouse.base.settings import Home
    from warehouse.engines.ducklake.address import resolve
    from warehouse.engines.ducklake.pull import pull as run_pull

    done = run_pull(Home.resolve(home), resolve(catalog), corpora=corpus or ())
    print(f"copied {done.n_files:,} raw files")
    for name in done.counts:
        print(f"the count of {name} is the lake's")


def snapshots(
    catalog: CatalogOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    forget_days: Annotated[
        float | None,
        typer.Option(
            "--forget-days", metavar="N", help="Remove snapshots older than N days, and files that only they needed."
        ),
    ] = None,
) -> None:
    """List a shared lake's snapshots: the numbers that `pivots sql --as-of` takes.

    Example: `pivots snapshots --catalog "ducklake:postgres:dbname=lake host=db user=pivots"`
    """
    from warehouse.engines.ducklake.address import resolve
    from warehouse.engines.ducklake.snapshots import forget_snapshots, list_snapshots

    address = resolve(catalog)
    if forget_days is not None:
        gone = forget_snapshots(address, older_than_days=forget_days)
        print(f"removed {gone.n_snapshots:,} snapshots and {gone.n_files:,} files")
        return
    for snapshot in list_snapshots(address, limit=limit):
        print(f"{snapshot.number:>8}  {snapshot.at:%Y-%m-%d %H:%M:%S}  {snapshot.author:<24}{snapshot.message}")
