"""Rows of raw.tokens: what each token of a tokenizer is."""

import pyarrow as pa

from warehouse.contract.token_text import text_of_bytes
from warehouse.lake.schemas import SHARDED
from warehouse.text.scripts import script_of
from warehouse.text.vocabulary import Vocabulary


def token_rows(vocabulary: Vocabulary, tokenizer_hash: str) -> pa.Table:
    """Return one row per token, by id."""
    rows = []
    for token_id, token_bytes in enumerate(vocabulary.token_bytes.to_pylist()):
        if not vocabulary.exists[token_id]:
            continue
        token = text_of_bytes(token_bytes)
        is_partial = not _is_utf8(token_bytes)
        rows.append(
            {
                "tokenizer_hash": tokenizer_hash,
                "token_id": token_id,
                "token": token,
                "n_bytes": len(token_bytes),
                "script": "Partial" if is_partial else script_of(token),
                "is_special": bool(vocabulary.is_special[token_id]),
                "is_blank": not token.strip(),
            }
        )
    return pa.Table.from_pylist(rows, schema=SHARDED["tokens"])


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
