"""English names of languages: those that the field uses, so that prompts read alike everywhere."""

import pytest

from ml.translation.languages import NAMES

# CLDR has gone over to these; prompts keep the names that were measured with.
OTHERWISE_IN_CLDR = {"bn": "Bangla", "tl": "Filipino"}


def test_names_are_cldrs_but_for_two() -> None:
    langcodes = pytest.importorskip("langcodes", reason="the machines that only run ml do not have it")
    names = {code: langcodes.Language.get(code).language_name("en") for code in NAMES}
    assert {code: name for code, name in names.items() if name != NAMES[code]} == OTHERWISE_IN_CLDR
