"""The tokenizer of an index: the one that is named, else that of the corpus it was made of."""

from dataclasses import dataclass

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.lake.corpora import find_corpus, recorded_tokenizer_hash, tokenizer_file
from warehouse.text.kept_text import Kept
from warehouse.text.tokenizing import Encoder, load_tokenizer


@dataclass(frozen=True)
class IndexTokenizer:
    """What writes words as the token ids of an index."""

    tokenizer_hash: str
    encoder: Encoder


def index_tokenizer(home: Home, corpus: str, file_or_name: str | None) -> IndexTokenizer:
    """Return the named tokenizer, or that of a corpus of the warehouse.

    Raises:
        UsageError: it cannot be used, it writes words within a text otherwise than alone, or nothing is named and the
            corpus is not in the warehouse.
    """
    if file_or_name:
        content = load_tokenizer(file_or_name).content
        return IndexTokenizer(recorded_tokenizer_hash(home, content), _word_encoder(content, file_or_name))
    try:
        tokenizer_hash = find_corpus(home, corpus).tokenizer_hash
    except UsageError as unknown:
        raise UsageError(f"{unknown}; or name the tokenizer of the index with --tokenizer") from None
    return IndexTokenizer(tokenizer_hash, _word_encoder(tokenizer_file(home, tokenizer_hash).read_bytes(), corpus))


def _word_encoder(content: bytes, name: str) -> Encoder:
    encoder = Encoder(content, "tokenizers")
    if encoder.kept is not Kept.TEXT:
        raise UsageError(
            f"the tokenizer of {name} writes a word alone otherwise than within a text ({encoder.kept.value}), so its "
            "tokens cannot be looked for: ask the index over HTTP, where the server tokenises"
        )
    return encoder
