"""Where tests find the project and, where a machine has it, the shared real data."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROFILES = PROJECT / "profiles"
SHARED_DATA = PROJECT.parent / "shared" / "data"
