"""What pip-audit finds, told."""

from tools.audit import summarise


def test_a_vulnerability_is_named_with_its_cure() -> None:
    found = [
        {"name": "a", "version": "1", "vulns": []},
        {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3", "4"]}]},
        {"name": "c", "version": "5", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
        {"name": "d", "skip_reason": "Dependency not found on PyPI"},
    ]
    lines, n_audited = summarise(found)
    assert lines == ["b 2: PYSEC-1, fixed in 3, 4", "c 5: PYSEC-2, fixed in no version yet"]
    assert n_audited == 3


def test_packages_that_could_not_be_looked_up_are_not_called_safe() -> None:
    assert summarise([{"name": "d", "skip_reason": "Dependency not found on PyPI"}]) == ([], 0)
