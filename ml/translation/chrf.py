"""chrF (Popović 2015) by sacrebleu: per sentence, and as n-gram counts that add up to the score of many sentences."""

from typing import Any

from sacrebleu.metrics.chrf import CHRF

WORD_ORDER = 2  # with words and word pairs it is chrF++
_CHRF, _CHRF_PP = CHRF(), CHRF(word_order=WORD_ORDER)
_KINDS = [("character", length) for length in range(1, CHRF.CHAR_ORDER + 1)]
_KINDS += [("word", length) for length in range(1, WORD_ORDER + 1)]


def sentence_scores(translation: str, reference: str) -> tuple[float, float]:
    """Return chrF2 and chrF2++ of one sentence, 0..100."""
    chrf, chrf_pp = (float(metric.sentence_score(translation, [reference]).score) for metric in (_CHRF, _CHRF_PP))
    return chrf, chrf_pp


def corpus_score(translations: list[str], references: list[str]) -> float:
    """Return chrF2 of many sentences: from the sums of their n-gram counts, which is not the mean of their scores."""
    return float(_CHRF.corpus_score(translations, [references]).score)


def ngram_counts(translation: str, reference: str) -> list[dict[str, Any]]:
    """Return one row per kind and length of n-grams: how many the translation has, the reference has, and both."""
    (counts,) = _CHRF_PP._extract_corpus_statistics([translation], [[reference]])
    return [
        {
            "ngram_kind": kind,
            "ngram_length": length,
            "n_translation": counts[3 * place],
            "n_reference": counts[3 * place + 1],
            "n_both": counts[3 * place + 2],
        }
        for place, (kind, length) in enumerate(_KINDS)
    ]
