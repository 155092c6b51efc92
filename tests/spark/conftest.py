"""Tests on Spark use the corpora of the rooms they compare with."""

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS / "warehouse" / "counting"), str(_TESTS / "warehouse"), str(_TESTS / "dbt")]
