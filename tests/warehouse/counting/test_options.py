"""Options of a count: how they are stored, hashed and typed again."""

import json

import pytest
from typer.testing import CliRunner

from warehouse.cli import app
from warehouse.contract.hashing import short_hash
from warehouse.counting.options import CountOptions

SAMPLED_WINDOWS = CountOptions(
    unit="window", window_tokens=512, max_docs_per_word=100, seed=3, min_z=2.5, min_rate_difference=0.025
)


@pytest.mark.parametrize(
    ("options", "identity"),
    [
        (CountOptions(), "802cfeccb52b"),
        (CountOptions(unit="window", window_tokens=512, max_docs_per_word=100, seed=3, min_z=2.5), "68cb30435300"),
    ],
)
def test_counts_made_before_keep_their_identity(options: CountOptions, identity: str) -> None:
    """The hashes were taken when the policy of word matches was still an option."""
    assert short_hash(options.as_dict()) == identity


@pytest.mark.parametrize("options", [CountOptions(), SAMPLED_WINDOWS, CountOptions(seed=3)])
def test_stored_options_give_the_same_count_again(options: CountOptions) -> None:
    again = CountOptions.from_stored(json.dumps(options.as_dict()))
    assert again.as_dict() == options.as_dict()


def test_the_policy_of_word_matches_is_no_option_of_the_command() -> None:
    """Only `text` matches are ever written, so any other policy counted no word."""
    refused = CliRunner().invoke(app, ["count", "--corpus", "c", "--match-policy", "token"])
    assert refused.exit_code == 2
    assert "No such option" in refused.output
