"""Programs that serve the repository rather than the product's users; no wheel holds them."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
