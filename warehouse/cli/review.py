"""The command `review`: which pivot candidates are right, asked of a person or a model."""

from enum import StrEnum
from typing import Annotated

import typer

from warehouse.cli.options import CorpusOption, HomeOption


class Kind(StrEnum):
    """Who is asked."""

    manual = "manual"
    openai = "openai"
    transformers = "transformers"


def register(app: typer.Typer) -> None:
    """Add `review`."""
    app.command()(review)


def review(
    corpus: CorpusOption,
    reviewer: Annotated[Kind, typer.Option(help="You, an OpenAI-compatible endpoint, or a local chat model.")],
    model: Annotated[str | None, typer.Option(metavar="M", help="Model of the endpoint, or a local folder.")] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Number of word pairs to ask about.")] = 20,
    top: Annotated[int, typer.Option(min=1, help="Candidates of each pair, best first.")] = 10,
    source_lang: Annotated[str | None, typer.Option(metavar="LANG", help="Only pairs with this language.")] = None,
    target_lang: Annotated[str | None, typer.Option(metavar="LANG", help="And with this one.")] = None,
    home: HomeOption = None,
) -> None:
    """Accept or reject pivot candidates; `pivots build` then takes the answers into every score and set.

    The endpoint is OPENAI_BASE_URL with OPENAI_API_KEY. Prompts and answers are kept in raw.pivot_reviews.

    Example: `pivots review --corpus demo --reviewer manual --source-lang fr --target-lang ja`
    """
    from collections import Counter

    from warehouse.base.errors import UsageError
    from warehouse.base.progress import progress
    from warehouse.base.settings import Home
    from warehouse.review.questions import open_questions
    from warehouse.review.questions import review as ask
    from warehouse.review.reviewers import manual_reviewer, openai_reviewer, transformers_reviewer

    if (model is None) != (reviewer is Kind.manual):
        raise UsageError("--model names the model of the reviewers openai and transformers, and no other")
    if target_lang and not source_lang:
        raise UsageError("--target-lang needs --source-lang; a review holds for both directions of a pair")
    folder = Home.resolve(home)
    questions = open_questions(folder, corpus, top=top, source_lang=source_lang, target_lang=target_lang)
    if not questions:
        raise UsageError(f"corpus {corpus!r} has no published candidate that is not reviewed; see `pivots status`")
    if reviewer is Kind.manual:
        who = manual_reviewer()
    else:
        who = (openai_reviewer if reviewer is Kind.openai else transformers_reviewer)(str(model))
    statuses: Counter[str] = Counter()
    answers = ask(folder, corpus, who, questions, limit=pairs)
    if reviewer is Kind.manual:  # a bar would stand in a person's way
        for rows in answers:
            statuses.update(rows["review_status"].to_pylist())
    else:
        with progress("review", min(pairs, len(questions)), "pairs") as advance:
            for rows in answers:
                statuses.update(rows["review_status"].to_pylist())
                advance(1)
    for status, count in sorted(statuses.items()):
        print(f"{status:<10} {count:,}")
    print("`pivots build` takes them in" if statuses else "nothing new: this reviewer has answered all of them")
