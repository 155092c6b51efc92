"""A tiny corpus in English and German, as files that people have: Dolma records and a word list as CSV."""

import json
import random
from pathlib import Path

PAIRS = {
    "house": "Haus", "water": "Wasser", "river": "Fluss", "city": "Stadt", "school": "Schule", "train": "Zug",
    "bread": "Brot", "winter": "Schnee", "garden": "Garten", "bridge": "Brücke", "doctor": "Arzt", "letter": "Brief",
    "music": "Lied", "window": "Fenster", "summer": "Sommer", "horse": "Pferd",
}  # fmt: skip
# What stands beside both words of a pair: names that belong to no language.
NAMES = {word: f"{word[:2].upper()}{number}X" for number, word in enumerate(PAIRS)}
FILLER = {
    "en": [
        *("the", "of", "and", "to", "in", "is", "was", "that", "for", "it", "with", "as", "his", "on", "be", "at"),
        *("by", "this", "had", "not", "but", "from", "they", "she", "which"),
    ],
    "de": [
        *("der", "die", "und", "den", "von", "zu", "das", "mit", "sich", "des", "auf", "für", "ist", "im", "dem"),
        *("nicht", "ein", "eine", "als", "auch", "es", "an", "werden"),
    ],
}


def write_two_languages(folder: Path, *, n_docs: int = 400, seed: int = 3) -> tuple[Path, Path]:
    """Write documents and a word list; return the folder of two files and the list."""
    draw = random.Random(seed)
    documents = folder / "documents"
    documents.mkdir(parents=True)
    for lang in ("en", "de"):
        lines = []
        for number in range(n_docs // 2):
            word = draw.choice(sorted(PAIRS))
            text = [draw.choice(FILLER[lang]) for _ in range(draw.randrange(30, 60))]
            for place in sorted((draw.randrange(len(text)) for _ in range(3)), reverse=True):
                text[place:place] = [word if lang == "en" else PAIRS[word], NAMES[word]]
            record = {"id": f"{lang}-{number}", "text": " ".join(text), "metadata": {"lang": lang}}
            lines.append(json.dumps(record, ensure_ascii=False))
        (documents / f"{lang}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = folder / "words.csv"
    words.write_text("en,de\n" + "".join(f"{en},{de}\n" for en, de in PAIRS.items()), encoding="utf-8")
    return documents, words
