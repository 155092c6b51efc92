"""What the counted tables are: each one as a query (Ibis expressions, so DuckDB and Spark run the same).

This is the definition, and it is slow: a self-join of every unit's tokens. The kernels compute the same rows; the tests
hold them to this, count for count. `definition_sql` shows a table's query as SQL.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

from warehouse.counting.options import CountOptions
from warehouse.counting.rows.kept_cells import EXPECTED_TOLERANCE
from warehouse.lake.schemas import COUNTED, MATCH_POLICY, SHARDED, STATE

_UNIT = ["doc_id", "window"]
_STRATUM = ["lang", "length_bin"]


@dataclass(frozen=True)
class RawTables:
    """The raw tables that counts are made of, with the columns of `warehouse/lake/schemas.py`, of one corpus."""

    documents: ir.Table
    superseded_documents: ir.Table
    word_documents: ir.Table
    translation_items: ir.Table

    @classmethod
    def unbound(cls) -> "RawTables":
        """Return the tables by schema alone, to show queries without data."""
        schemas = {**SHARDED, **STATE}
        return cls(**{f: ibis.table(ibis.Schema.from_pyarrow(schemas[f]), name=f) for f in cls.__dataclass_fields__})


def count_queries(raw: RawTables, options: CountOptions) -> dict[str, ir.Table]:
    """Return the query of every counted table except `counts`, without its corpus column, sorted by its key."""
    tokens = unit_tokens(raw, options)
    units = unit_strata(tokens)
    words = unit_words(raw, units, options)
    strata = units.group_by(_STRATUM).aggregate(n_docs=_.count())
    token_documents = tokens.join(units, _UNIT).group_by([*_STRATUM, "token_id"]).aggregate(n_docs=_.count())
    word_strata = words.join(units, _UNIT).group_by([*_STRATUM, "word_id"]).aggregate(n_docs=_.count())
    queries = {
        "strata": strata,
        "token_documents": token_documents,
        "word_strata": word_strata,
        "word_pairs": word_pairs(raw, words),
        "word_tokens": word_tokens(tokens, words, strata, token_documents, word_strata),
        "token_pairs": token_pairs(tokens, strata, token_documents, options),
    }
    measures = ("corpus", "n_docs", "expected_n_docs", "variance")
    keys = {name: [c for c in COUNTED[name].names if c not in measures] for name in queries}
    columns = {name: [c for c in COUNTED[name].names if c != "corpus"] for name in queries}
    return {name: query.select(columns[name]).order_by(keys[name]) for name, query in queries.items()}


def definition_sql(table: str, options: CountOptions | None = None, *, dialect: str = "duckdb") -> str:
    """Return the query of a counted table as SQL."""
    getattr(ibis, dialect)  # loads the engine: how it writes numbers is one of its options
    return str(ibis.to_sql(count_queries(RawTables.unbound(), options or CountOptions())[table], dialect=dialect))


def unit_tokens(raw: RawTables, options: CountOptions) -> ir.Table:
    """One row per unit and token in it: doc_id, window, lang, token_id. A document without tokens has no unit."""
    documents = raw.documents.anti_join(raw.superseded_documents, ["shard_id", "doc_id"])
    tokens = documents.select("doc_id", "lang", token_id=_.token_ids).unnest("token_id", offset="position")
    return tokens.select("doc_id", "lang", "token_id", window=_window(tokens.position, options)).distinct()


def _window(position: ir.IntegerColumn, options: CountOptions) -> ir.IntegerValue:
    return (position // (options.unit_tokens or (1 << 40))).cast("int64")


def unit_strata(tokens: ir.Table) -> ir.Table:
    """One row per unit: its stratum is its language and floor(2 log2 of its number of distinct tokens)."""
    sizes = tokens.group_by([*_UNIT, "lang"]).aggregate(n_distinct=_.count())
    return sizes.select(*_UNIT, "lang", length_bin=(2 * _.n_distinct.log2()).floor().cast("int32"))


def unit_words(raw: RawTables, units: ir.Table, options: CountOptions) -> ir.Table:
    """One row per unit and word that begins in it (in the word's sample, when there is one)."""
    matches = raw.word_documents.filter(_.match_policy == MATCH_POLICY)
    matches = matches.anti_join(raw.superseded_documents, ["shard_id", "doc_id"])
    starts = matches.select("doc_id", "word_id", position=_.token_starts).unnest("position")
    found = starts.select("doc_id", "word_id", window=_window(starts.position, options)).distinct()
    found = found.semi_join(units, _UNIT)
    if options.max_docs_per_word is None:
        return found
    name = _.doc_id.cast("string") + ":" + _.window.cast("string") + f":{options.seed}"
    hashed = found.mutate(unit_hash=name.hexdigest("md5").substr(0, 16))
    ranked = hashed.mutate(place=ibis.rank().over(group_by="word_id", order_by="unit_hash"))
    return ranked.filter(_.place < options.max_docs_per_word).select("doc_id", "word_id", "window")


def word_pairs(raw: RawTables, words: ir.Table) -> ir.Table:
    """n(s,t): units that two words of one item share."""
    items = raw.translation_items
    other = items.view()
    pairs = items.join(other, [items.item_id == other.item_id, items.word_id < other.word_id])
    pairs = pairs.select(word_id_a=items.word_id, word_id_b=other.word_id).distinct()
    a = words.rename(word_id_a="word_id")
    b = words.view().rename(word_id_b="word_id")
    shared = pairs.join(a, "word_id_a").join(b, ["word_id_b", *_UNIT])
    return shared.group_by(["word_id_a", "word_id_b"]).aggregate(n_docs=_.count())


def word_tokens(
    tokens: ir.Table, words: ir.Table, strata: ir.Table, token_documents: ir.Table, word_strata: ir.Table
) -> ir.Table:
    """n(w,x), E and Var of the cells that a score could rank: n/n(w) > n(x)/N, or n > E."""
    key = ["word_id", "token_id"]
    counts = words.join(tokens, _UNIT).group_by(key).aggregate(n_docs=_.count())
    parts = (
        word_strata.rename(n_word="n_docs")
        .join(token_documents.rename(n_token="n_docs"), _STRATUM)  # noqa: S106  a count of tokens
        .join(strata.rename(n_units="n_docs"), _STRATUM)
        .mutate(rate=_.n_token.cast("float64") / _.n_units)
    )
    expected = parts.group_by(key).aggregate(
        expected_n_docs=(_.n_word * _.rate).sum(), variance=(_.n_word * _.rate * (1 - _.rate)).sum()
    )
    n_units = strata.aggregate(n_units=_.n_docs.sum().cast("int64"))
    n_tokens = token_documents.group_by("token_id").aggregate(n_token=_.n_docs.sum().cast("int64"))
    n_words = word_strata.group_by("word_id").aggregate(n_word=_.n_docs.sum().cast("int64"))
    cells = counts.join(expected, key).join(n_tokens, "token_id").join(n_words, "word_id").cross_join(n_units)
    by_rate = _.n_docs * _.n_units > _.n_token * _.n_word
    return cells.filter(by_rate | (_.n_docs > _.expected_n_docs * (1 + EXPECTED_TOLERANCE)))


def token_pairs(tokens: ir.Table, strata: ir.Table, token_documents: ir.Table, options: CountOptions) -> ir.Table:
    """n(x,y), E and Var of the edges that pass the rate rule or the z rule of the options."""
    key = ["token_id_a", "token_id_b"]
    a, b = _sides(tokens.drop("lang"), "token_id")
    joint = a.join(b, [*_UNIT, a.token_id_a < b.token_id_b])
    counts = joint.group_by(key).aggregate(n_docs=_.count())
    a, b = _sides(token_documents, "token_id", "n_docs")
    parts = a.join(b, [*_STRATUM, a.token_id_a < b.token_id_b]).join(strata.rename(n_units="n_docs"), _STRATUM)
    parts = parts.mutate(both=(_.n_docs_a.cast("float64") / _.n_units) * (_.n_docs_b.cast("float64") / _.n_units))
    expected = parts.group_by(key).aggregate(
        expected_n_docs=(_.n_units * _.both).sum(), variance=(_.n_units * _.both * (1 - _.both)).sum()
    )
    n_tokens = token_documents.group_by("token_id").aggregate(n_token=_.n_docs.sum().cast("int64"))
    n_units = strata.aggregate(n_units=_.n_docs.sum().cast("int64"))
    cells = counts.join(expected, key).cross_join(n_units)
    for side in _sides(n_tokens, "token_id", "n_token"):
        cells = cells.join(side, side.columns[0])
    n, n_a, n_b, big_n = (_[c].cast("float64") for c in ("n_docs", "n_token_a", "n_token_b", "n_units"))
    least = ibis.least(_.n_token_a, _.n_token_b)
    by_rate = (
        (least >= options.rate_min_token_docs)
        & (n / n_a - n_b / big_n >= options.min_rate_difference)
        & (n / n_b - n_a / big_n >= options.min_rate_difference)
    )
    z = (n - _.expected_n_docs) / (_.variance + 1).sqrt()
    by_z = (_.n_docs >= options.z_min_pair_docs) & (least >= options.z_min_token_docs) & (z >= options.min_z)
    return cells.filter(by_rate | by_z)


def _sides(table: ir.Table, *columns: str) -> tuple[ir.Table, ir.Table]:
    """Return a table twice, its named columns with suffix _a and _b."""
    a = table.select(*[c for c in table.columns if c not in columns], **{f"{c}_a": table[c] for c in columns})
    b = table.select(*[c for c in table.columns if c not in columns], **{f"{c}_b": table[c] for c in columns})
    return a, b.view()
