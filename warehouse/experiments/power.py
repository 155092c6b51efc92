"""What an experiment will be able to see, and what it costs: as earlier experiments of the same preset say."""

from typing import Any

import duckdb

from warehouse.base.settings import Home
from warehouse.build.dbt_runner import variable
from warehouse.experiments.plan import Plan
from warehouse.lake.connections import open_writer, writer_lock

_EVALUATIONS = ("score", "trace", "held_out")
_POWER = """
    select
        power.*,
        coalesce($wanted, power.smallest_effect) as wanted_effect,
        min(n_seeds) filter (where power.detectable_effect <= coalesce($wanted, power.smallest_effect)) over ()
            as n_seeds_needed
    from marts.fct_experiment_power as power
    inner join marts.dim_outcomes as outcomes using (outcome)
    where preset = $preset and coalesce(outcome = $outcome, outcomes.is_default_primary) and word_split = $word_split
    order by n_seeds
"""
_COSTS = "select kind, mean_run_s from marts.fct_run_costs where preset = $preset"


def power_lines(home: Home, plan: Plan) -> list[str]:
    """Say what difference the plan's seeds could find, how many find the smallest that matters, and how long it takes.

    Every number is a row of marts.fct_experiment_power and marts.fct_run_costs.
    """
    split = plan.primary_word_split or variable(home, "primary_word_split")
    preset = {"preset": plan.name}
    primary = {"outcome": plan.primary_outcome, "word_split": split, "wanted": plan.smallest_effect}
    power = _rows(home, _POWER, preset | primary)
    costs = {row["kind"]: row["mean_run_s"] for row in _rows(home, _COSTS, preset)}
    return [*_power(power, len(plan.seeds), plan.name), *_cost(costs, plan)]


def _rows(home: Home, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return rows of the writer's marts, none where they are not built."""
    if not home.warehouse_file.exists():
        return []
    with writer_lock(home), open_writer(home) as connection:
        try:
            return connection.execute(query, parameters).to_arrow_table().to_pylist()
        except duckdb.CatalogException:
            return []


def _power(rows: list[dict[str, Any]], n_seeds: int, preset: str) -> list[str]:
    if n_seeds == 1:
        return ["power      one seed: no difference will be tested, only described; add --seeds 2 or more"]
    planned = next((row for row in rows if row["n_seeds"] == n_seeds), None)
    if planned is None:
        return [f"power      not known: this home has no earlier experiment of preset {preset} with two seeds or more"]
    lines = [
        f"power      {n_seeds} seeds find a difference of {planned['detectable_effect']:.4f} in {planned['outcome']}"
        f" four times of five, with about {planned['n_items']:.0f} words; from {planned['n_comparisons']} comparisons"
        f" of {planned['n_experiments']} earlier experiment{'s' * (planned['n_experiments'] > 1)} of the preset"
    ]
    wanted = planned["wanted_effect"]
    enough = planned["n_seeds_needed"]
    if enough is None:
        lines.append(f"           the smallest that matters, {wanted:g}, needs more words: no number of seeds would do")
    else:
        lines.append(f"           the smallest that matters, {wanted:g}, needs {enough} seeds")
    return lines


def _cost(seconds: dict[str, float], plan: Plan) -> list[str]:
    n_arms = len(plan.strategies) * len(plan.seeds)
    if "train" not in seconds:
        return [
            f"cost       {n_arms} trainings of {plan.budget_tokens:,} tokens; no earlier run of the preset was timed"
        ]
    evaluation = sum(seconds.get(kind, 0) for kind in _EVALUATIONS)
    hours = n_arms * (seconds["train"] + evaluation) / plan.parallel_arms / 3600
    return [
        f"cost       about {hours:.1f} hours: {n_arms} arms, {seconds['train']:.0f} s to train and {evaluation:.0f} s"
        f" to evaluate each in earlier runs, {plan.parallel_arms} at a time"
    ]
