"""Token budgets against what a corpus has to choose from: a budget that takes everything makes all arms the same."""

from collections.abc import Sequence

import duckdb

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.plan import Plan
from warehouse.lake.connections import open_writer, writer_lock

_ELIGIBLE = "select coalesce(sum(n_tokens), 0) from marts.dim_documents where corpus = ? and is_eligible"


def eligible_tokens(home: Home, corpus: str) -> int | None:
    """Return the tokens of all documents that may be selected, None when the marts are not built."""
    if not home.warehouse_file.exists():
        return None
    with writer_lock(home), open_writer(home) as connection:
        try:
            [n_tokens] = connection.execute(_ELIGIBLE, [corpus]).fetchone() or (0,)
        except duckdb.CatalogException:
            return None
    return int(n_tokens)


def too_large(budget_tokens: int, n_eligible: int | None, corpus: str) -> str | None:
    """Say that a budget takes all there is to select, None when it leaves a choice or that cannot be told."""
    if not n_eligible or budget_tokens < n_eligible:
        return None
    return (
        f"the budget of {budget_tokens:,} tokens takes all {n_eligible:,} tokens that may be selected of {corpus}:"
        f" every strategy takes nearly the same documents; a tenth would be --budget-tokens {_tenth(n_eligible)}"
    )


def check_arms_can_differ(home: Home, plan: Plan, corpora: Sequence[str]) -> None:
    """Raise UsageError when the budget takes all of a corpus: its arms would differ in nothing."""
    for corpus in corpora:
        if problem := too_large(plan.budget_tokens, eligible_tokens(home, corpus), corpus):
            raise UsageError(f"{problem}; or run it all the same with --allow-equal-arms")


def plan_lines(home: Home, plan: Plan, corpora: Sequence[str]) -> list[str]:
    """Say what an experiment would train, and from how much it would choose."""
    n_arms = len(plan.strategies) * len(plan.seeds)
    lines = [
        f"arms       {n_arms}: {', '.join(plan.strategies)}; {len(plan.seeds)} seed{'s' * (len(plan.seeds) > 1)}",
        f"scored     {'all items' if plan.n_items is None else f'{plan.n_items:,} items'}, and the untrained model",
    ]
    for corpus in corpora:
        n_eligible = eligible_tokens(home, corpus)
        share = f"{plan.budget_tokens / n_eligible:.1%} of {n_eligible:,}" if n_eligible else "not built yet"
        lines.append(f"budget     {plan.budget_tokens:,} tokens an arm of {corpus} ({share} that may be selected)")
        if problem := too_large(plan.budget_tokens, n_eligible, corpus):
            lines.append(f"refused    {problem}")
    return lines


def _tenth(n_tokens: int) -> int:
    """Return a tenth, in two digits."""
    tenth = max(n_tokens // 10, 1)
    scale = 10 ** max(len(str(tenth)) - 2, 0)
    return tenth // scale * scale
