"""Named settings of the planted corpus. All share one world (concepts, kinds, pivots), so one tokenizer fits all."""

from dataclasses import dataclass, replace

from warehouse.base.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How documents are made. Shares are of documents, rates of word slots, unless said otherwise."""

    name: str
    description: str
    language_shares: tuple[float, ...] = (0.70, 0.12, 0.10, 0.08)  # order of lexicon.LANGUAGES
    glossary_share: float = 0.055  # documents are longer than others: about 12 % of all tokens
    mixed_share: float = 0.10
    parallel_share: float = 0.0  # sentences of one language, each followed by the same words in another
    code_switched_share: float = 0.0  # two languages within a sentence
    junk_share: float = 0.01
    duplicate_share: float = 0.02
    n_slots: tuple[int, int] = (18, 31)  # word slots of a document, both ends included
    n_focus: int = 3  # concepts a document speaks about
    concept_rate: float = 0.16
    topic_rate: float = 0.12
    international_rate: float = 0.0
    rich_share: float = 0.2  # documents full of pivots, as technical prose is full of terms
    rich_pivot_rate: float = 0.20
    plain_pivot_rate: float = 0.02
    off_topic_rate: float = 0.0  # share of concept slots that name any concept instead of a focus
    has_test_pivots: bool = True  # False: the pivots of test concepts stand nowhere, function words are in their place


_DEFAULT = Setting(name="default", description="clear pivots in short documents")

_EVEN = replace(
    _DEFAULT,
    name="even",
    description="languages at equal shares, more concepts: arms that a small model can tell apart",
    language_shares=(0.25, 0.25, 0.25, 0.25),
    concept_rate=0.25,
    topic_rate=0.10,
    rich_pivot_rate=0.30,
)

SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        _DEFAULT,
        replace(
            _DEFAULT,
            name="rare_pivots",
            description="a fifth of the pivots",
            rich_share=0.1,
            rich_pivot_rate=0.08,
            plain_pivot_rate=0.005,
        ),
        replace(
            _DEFAULT,
            name="international_topics",
            description="every topic has words that look like pivots",
            international_rate=0.10,
        ),
        replace(
            _DEFAULT,
            name="long_documents",
            description="documents five times as long, about more concepts",
            n_slots=(90, 150),
            n_focus=9,
            glossary_share=0.2,
        ),
        replace(
            _DEFAULT,
            name="noisy",
            description="much junk, many copies, concepts named in passing",
            junk_share=0.10,
            duplicate_share=0.15,
            off_topic_rate=0.4,
        ),
        replace(
            _DEFAULT,
            name="hard",
            description="rare pivots, international topic words and noise together",
            rich_share=0.1,
            rich_pivot_rate=0.08,
            plain_pivot_rate=0.005,
            international_rate=0.10,
            junk_share=0.05,
            duplicate_share=0.10,
            off_topic_rate=0.25,
        ),
        replace(
            _DEFAULT,
            name="bilingual",
            description="parallel and code-switched documents beside mixed ones",
            mixed_share=0.05,
            parallel_share=0.05,
            code_switched_share=0.05,
        ),
        _EVEN,
        replace(
            _EVEN,
            name="even_base",
            description="what a base for arms of `even` reads: one language a document, no pivots of test concepts",
            mixed_share=0.0,
            has_test_pivots=False,
        ),
    )
}


def find_setting(name: str) -> Setting:
    """Return a setting by name. Raises UsageError when it does not exist."""
    if name not in SETTINGS:
        raise UsageError(f"unknown setting {name!r} of the planted corpus: choose one of {', '.join(SETTINGS)}")
    return SETTINGS[name]
