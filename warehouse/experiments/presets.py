"""Which preset a user means: a name in `profiles/`, or a file of one's own."""

from pathlib import Path

from warehouse.base import shipped
from warehouse.base.errors import UsageError
from warehouse.contract.presets import Preset, read_preset

PRESETS_DIR = shipped.profiles()


def preset_file(preset: str) -> Path:
    """Return the file of a preset: a name in `profiles/` or a path of one's own.

    Raises:
        UsageError: it does not exist.
    """
    path = Path(preset) if preset.endswith((".yml", ".yaml")) else PRESETS_DIR / f"{preset}.yml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in PRESETS_DIR.glob("*.yml") if p.stem != "profiles"))
        raise UsageError(f"no preset {preset!r} (there are: {known}; or give a path ending in .yml)")
    return path


def find_preset(preset: str) -> Preset:
    """Return what a preset says. Raises UsageError when it does not exist, and with all mistakes in it."""
    return read_preset(preset_file(preset))
