"""Special tokens before every document of a packed sequence, against a walk over the stream token by token."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.models.nll import IGNORED
from ml.training.leading import leading_places, sequence_starts, with_leading
from ml.training.sequences import Sequences, count_predicted, make_batch, open_export
from support.ml_runs.inputs import EOS

DOCUMENTS = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=9), min_size=1, max_size=12)
LEADING = st.sampled_from([(9,), (9, 8), (EOS,), (EOS, EOS)])


def walk(documents: list[list[int]], leading: tuple[int, ...], seq_len: int) -> list[list[tuple[int, bool]]]:
    """Return whole sequences of (token, stands before a document), by putting down one token after another."""
    stream = [token for document in documents for token in [*document, EOS]]
    rows: list[list[tuple[int, bool]]] = []
    row: list[tuple[int, bool]] = []
    for token in stream:
        if not row or (row[-1] == (EOS, False)):
            for special in leading:
                if len(row) < seq_len:
                    row.append((special, True))
        if len(row) == seq_len:  # full of what stands before a document: it begins the next one
            rows.append(row)
            row = [(special, True) for special in leading]
        row.append((token, False))
        if len(row) == seq_len:
            rows.append(row)
            row = []
    if row and row[-1] == (EOS, False):
        row += [(special, True) for special in leading][: seq_len - len(row)]
    return [*rows, row] if len(row) == seq_len else rows


@settings(deadline=None, max_examples=300)
@given(documents=DOCUMENTS, leading=LEADING, seq_len=st.integers(3, 12))
def test_sequences_are_what_a_walk_puts_down(
    documents: list[list[int]], leading: tuple[int, ...], seq_len: int
) -> None:
    stream = np.array([token for document in documents for token in [*document, EOS]])
    ends = np.flatnonzero(stream == EOS)
    starts = sequence_starts(ends, len(stream), seq_len=seq_len, n_leading=len(leading))
    expected = walk(documents, leading, seq_len)
    rows = [
        with_leading(stream[start : start + seq_len], leading=leading, eos_token_id=EOS, seq_len=seq_len)
        for start in starts
    ]
    assert [row.tolist() for row in rows] == [[token for token, _ in row] for row in expected]
    if not rows:
        return
    tokens = np.stack(rows)
    places = leading_places(tokens, n_leading=len(leading), eos_token_id=EOS)
    assert places.tolist() == [[is_leading for _, is_leading in row] for row in expected]
    for masks in (True, False):
        batch = make_batch(tokens, eos_token_id=EOS, document_masks=masks, n_leading=len(leading))
        for row, pairs in enumerate(expected):
            for place, (token, is_leading) in enumerate(pairs):
                behind = pairs[place + 1] if place + 1 < seq_len else None
                is_end = masks and token == EOS and not is_leading
                is_ignored = behind is None or is_leading or behind[1] or is_end
                assert int(batch.labels[row, place]) == (IGNORED if is_ignored else behind[0])
                if batch.positions is not None:
                    first = max(
                        [0] + [i + 1 for i in range(place) if pairs[i] == (EOS, False)],
                    )
                    assert int(batch.positions[row, place]) == place - first
        n_predicted = count_predicted(tokens, eos_token_id=EOS, document_masks=masks, n_leading=len(leading))
        assert n_predicted == int((batch.labels != IGNORED).sum())


def test_an_export_is_read_with_them_and_no_token_is_lost(export: Path) -> None:
    opened = open_export(export)
    plain, led = Sequences(opened, 16), Sequences(opened, 16, (99,))
    assert plain.n_leading == 0
    assert led.n_leading == 1
    assert led.n_sequences > plain.n_sequences
    stream = np.concatenate([np.asarray(shard) for shard in opened.shards])
    read = np.concatenate([led[index] for index in range(led.n_sequences)])
    own = read[read != 99]
    assert own.tolist() == stream[: len(own)].tolist()
    assert len(stream) - len(own) < 16
