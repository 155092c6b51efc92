"""What flows return can be kept by URL, with settings of Prefect's alone."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("prefect_server")]


def test_results_are_kept_where_a_url_says(tmp_path: Path) -> None:
    import fsspec
    from prefect.filesystems import RemoteFileSystem
    from prefect.settings import (
        PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK,
        PREFECT_RESULTS_PERSIST_BY_DEFAULT,
        temporary_settings,
    )

    from flows.cleanup import clean_up

    RemoteFileSystem(basepath="memory://bucket/results").save("pivots-results")
    settings = {
        PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK: "remote-file-system/pivots-results",
        PREFECT_RESULTS_PERSIST_BY_DEFAULT: True,
    }
    with temporary_settings(settings):
        state = clean_up(home=str(tmp_path / "home"), return_state=True)
    assert state.result() == 0
    [kept] = fsspec.filesystem("memory").find("/bucket/results")
    assert Path(kept).name in str(state.data)
