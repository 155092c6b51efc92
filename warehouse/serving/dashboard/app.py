"""The dashboard's app. `pivots dashboard` serves it; marimo reruns a cell when what it reads changes."""
# ruff: noqa: B018  a cell shows its last expression

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Semantic Pivots")


@app.cell
def imports():
    import marimo as mo

    from warehouse.base.errors import StepFailed, UsageError
    from warehouse.base.settings import Home
    from warehouse.serving import queries
    from warehouse.serving.dashboard import data, overview, tables, views
    from warehouse.serving.publish import read_manifest
    from warehouse.serving.sql.query_process import query_rows

    home = Home.resolve()
    return StepFailed, UsageError, data, home, mo, overview, queries, query_rows, read_manifest, tables, views


@app.cell
def read_address(mo):
    # what is looked at stands in the page's address, so that it can be kept and sent
    address = mo.query_params()
    asked = {name: str(address.get(name)) for name in address}

    def wanted(name, choices, otherwise=None):
        """Return what the address asks for, where it is among the choices."""
        return asked[name] if asked.get(name) in choices else otherwise

    return address, asked, wanted


@app.cell
def heading(data, home, mo, queries, read_manifest, views, wanted):
    manifest = read_manifest(home)
    corpora = [row["corpus"] for row in data.ask(home, queries.corpora)]
    corpus = mo.ui.dropdown(corpora, value=wanted("corpus", corpora, next(iter(corpora), None)), label="corpus")
    page = mo.ui.tabs(dict.fromkeys(views.PAGES, ""), value=wanted("page", views.PAGES, "Overview"))
    mo.vstack(
        [
            mo.md("# Semantic Pivots"),
            mo.hstack(
                [
                    corpus,
                    mo.md(
                        f"published copy {manifest['number']}, {manifest['published_at'][:16].replace('T', ' ')} UTC"
                    ),
                ],
                justify="start",
                gap=2,
                wrap=True,
            ),
            page,
        ]
    )
    return corpus, page


@app.cell
def say_what_the_page_shows(mo, page, views):
    mo.Html(views.says(page.value))
    return


@app.cell
def show_overview(corpus, data, experiment, home, mo, overview, page, strategies):
    mo.stop(page.value != "Overview")
    mo.vstack(overview.overview_page(data.overview(home, corpus.value, experiment.value), strategies, experiment))
    return


@app.cell
def remember(address, begins, corpus, direction, experiment, lang, page, pivot_set, word):
    _pair = word.value
    _now = {
        "page": page.value,
        "corpus": corpus.value,
        "direction": "-".join(direction.value) if direction.value else None,
        "word": _pair["source_word"] if _pair else None,
        "token": begins.value or None,
        "experiment": experiment.value,
        "language": lang.value,
        "set": pivot_set.value,
    }
    for _name, _value in _now.items():
        if _value is None:
            if _name in address:
                del address[_name]
        elif address.get(_name) != _value:
            address[_name] = _value
    return


@app.cell
def name_units(corpus, data, home):
    unit = data.unit(home, corpus.value)
    strategies = data.strategies(home)
    return strategies, unit


@app.cell
def choose_direction(asked, corpus, data, home, mo, queries):
    directions = {
        f"{row['source_lang']} → {row['target_lang']}": (row["source_lang"], row["target_lang"])
        for row in data.ask(home, queries.directions, corpus.value)
    }
    _usual = "en → fr" if "en → fr" in directions else next(iter(directions), None)
    _asked = asked.get("direction", "").replace("-", " → ")
    direction = mo.ui.dropdown(directions, value=_asked if _asked in directions else _usual, label="direction")
    return (direction,)


@app.cell
def choose_word(asked, corpus, data, direction, home, mo, queries):
    pairs: dict[str, dict[str, object]] = {}
    if direction.value:
        for row in data.ask_often(home, queries.words_with_pivots, corpus.value, *direction.value):
            pairs.setdefault(f"{row['source_word']} → {row['target_word']}", row)
    _wanted = (asked.get("word"), "water")
    _first = next((name for word in _wanted for name in pairs if name.startswith(f"{word} →")), next(iter(pairs), None))
    word = mo.ui.dropdown(pairs, value=_first, label="word", searchable=True)
    return (word,)


@app.cell
def find_candidates(corpus, data, home, tables, word):
    pair = word.value
    candidates = data.candidates(home, corpus.value, pair) if pair else []
    behind = tables.choice(
        candidates,
        page_size=10,
        label="candidates by every score method: rank 1 is the best, “with” a word is the share of its documents or"
        " windows that hold the token; choose one to read the documents behind it",
    )
    return behind, candidates, pair


@app.cell
def show_pivots(behind, candidates, direction, mo, page, pair, unit, views, word):
    mo.stop(page.value != "Pivots")
    if not pair:
        _shown = mo.md("No pair of this direction has both words in the corpus.")
    else:
        _shown = mo.vstack(
            [
                mo.Html(views.pair_sentence(pair, unit)),
                behind if candidates else mo.md("No candidate scores above zero."),
            ]
        )
    mo.vstack([mo.hstack([direction, word], justify="start", gap=2, wrap=True), _shown])
    return


@app.cell
def find_documents_behind(behind, corpus, data, home, mo, page, pair, tables):
    mo.stop(page.value != "Pivots" or not pair or not behind.value)
    chosen_token = int(behind.value[0][tables.TOKEN_ID])
    _rows = data.beginnings(home, corpus.value, data.documents_behind(home, corpus.value, pair, chosen_token))
    documents_behind = tables.choice(
        _rows,
        page_size=5,
        label="documents with the token beside one of the two words, those with both words first",
    )
    documents_behind
    return chosen_token, documents_behind


@app.cell
def read_document_behind(chosen_token, corpus, data, documents_behind, home, mo, page, pair, tables, views):
    mo.stop(page.value != "Pivots" or not documents_behind.value)
    _row = documents_behind.value[0]
    _doc_id = int(_row[tables.DOCUMENT_ID])
    _segments = data.read_document(home, corpus.value, _doc_id, pair=pair, marked=frozenset({chosen_token}))
    mo.vstack(
        [
            mo.md("blue: the source word, green: the target word, orange: the pivot"),
            mo.Html(views.marked_text(_segments, lang=_row["language"])),
        ]
    )
    return


@app.cell
def choose_centre(asked, mo):
    centre, set_centre = mo.state(None)
    graph = mo.ui.dropdown(
        {"beyond language and length": "bridge", "as in the paper": "adjacency"},
        value="beyond language and length",
        label="edges",
    )
    begins = mo.ui.text(
        label="token", placeholder="begins with", value=asked.get("token", ""), on_change=lambda _: set_centre(None)
    )
    return begins, centre, graph, set_centre


@app.cell
def find_neighbours(begins, centre, corpus, data, graph, home, queries):
    found_tokens = data.ask(home, queries.tokens_like, corpus.value, begins.value, graph=graph.value)
    _first = found_tokens[0] if found_tokens else None
    if not begins.value:  # nothing asked yet: the best pivot
        _first = next(iter(data.ask(home, queries.pivot_tokens, corpus.value, limit=1)), _first)
    around = centre() or _first
    neighbour_rows = (
        data.ask_often(home, queries.token_neighbours, corpus.value, around["token_id"], graph=graph.value)
        if around
        else []
    )
    return around, found_tokens, neighbour_rows


@app.cell
def choose_neighbour(found_tokens, mo, neighbour_rows, set_centre, tables, unit, views):
    # not in the cell above: a cell that calls a setter does not rerun by it
    found = mo.ui.dropdown(
        {
            f"{views.visible_space(row['token'])} ({row['token_id']}), in {row['n_docs']:,} {unit.plural}": row
            for row in found_tokens
        },
        label="found",
        on_change=set_centre,
    )

    def _walk(rows):
        if _chosen := views.chosen_neighbour(rows, neighbour_rows):
            set_centre(_chosen)

    _columns = ("neighbour", "neighbour_lang", "edge_weight", "n_docs_both", "neighbour_n_docs", "neighbour_id")
    neighbours = tables.table(
        [{name: row[name] for name in _columns} for row in neighbour_rows],
        unit,
        selection="single",
        on_change=_walk,
        page_size=10,
        label="its strongest neighbours; choose one to go there",
    )
    return found, neighbours


@app.cell
def show_graph(
    around, begins, corpus, data, found, graph, home, mo, neighbour_rows, neighbours, page, queries, unit, views
):
    mo.stop(page.value != "Graph")
    _langs = [row["lang"] for row in data.ask(home, queries.corpus_languages, corpus.value)]
    if around and neighbour_rows:
        _shown = [
            mo.Html(views.heading(f"Around {views.visible_space(around['token'])}")),
            mo.Html(views.neighbourhood(around, neighbour_rows, unit, _langs)),
            neighbours,
        ]
    else:
        _shown = [mo.md("No token of this graph begins so, or it has no edge in it.")]
    mo.vstack([mo.hstack([graph, begins, found], justify="start", gap=2, wrap=True), *_shown])
    return


@app.cell
def choose_experiment(data, home, mo, queries, wanted):
    experiments = [row["experiment"] for row in data.ask(home, queries.experiments)]
    _latest = next(iter(experiments), None)
    experiment = mo.ui.dropdown(experiments, value=wanted("experiment", experiments, _latest), label="experiment")
    return (experiment,)


@app.cell
def choose_traced_word(corpus, data, direction, experiment, home, mo, page, queries):
    mo.stop(page.value != "Layers")
    _rows = (
        data.ask(home, queries.traced_words, experiment.value, corpus.value, *direction.value)
        if experiment.value and direction.value
        else []
    )
    _words = {f"{row['source_word']} → {row['target_word']}": row for row in _rows}
    _told = next((name for name, row in _words.items() if not row["is_excluded"]), next(iter(_words), None))
    traced = mo.ui.dropdown(_words, value=_told, label="word", searchable=True)
    return (traced,)


@app.cell
def show_layers(data, direction, experiment, home, mo, page, queries, strategies, tables, traced, views):
    mo.stop(page.value != "Layers")
    mo.stop(not experiment.value, mo.md("No model has been traced: run `pivots experiment`."))
    _shown = [mo.hstack([experiment, direction, traced], justify="start", gap=2, wrap=True)]
    if traced.value:
        _pair = traced.value
        _rows = data.traces(home, experiment.value, _pair)
        _behaviours = data.ask(
            home,
            queries.behaviour_of_word,
            experiment.value,
            _pair["item_id"],
            _pair["source_lang"],
            _pair["target_lang"],
        )
        _columns = ("strategy", "seed", "layer", "top_token", "p_top", "p_pivot", "p_control", "p_source", "p_target")
        _shown += [
            views.curves(_rows, strategies) if _rows else mo.md("The lake no longer holds this trace."),
            tables.table(
                [{k: v for k, v in row.items() if k != "run_id"} for row in _behaviours],
                label="behaviour of every run: cooccurrence goes straight to the answer, pivot by another token first,"
                " excluded are words that share a token",
            ),
            tables.table(
                [{name: row[name] for name in _columns} for row in _rows],
                page_size=20,
                label="top token of each layer",
            ),
        ]
    else:
        _shown.append(mo.md("No word of this direction was traced in this experiment."))
    mo.vstack(_shown)
    return


@app.cell
def choose_ranking(corpus, data, home, mo, queries, wanted):
    _langs = [row["lang"] for row in data.ask(home, queries.corpus_languages, corpus.value)]
    _found = data.ask(home, queries.pivot_sets, corpus.value)
    _sets = sorted(row["pivot_set"] for row in _found)
    lang = mo.ui.dropdown(_langs, value=wanted("language", _langs, next(iter(_langs), None)), label="language")
    _default = next((row["pivot_set"] for row in _found if row["is_default"]), None)
    _first = _default if _default in _sets else next(iter(_sets), None)
    pivot_set = mo.ui.dropdown(_sets, value=wanted("set", _sets, _first), label="pivot set")
    ranking = mo.ui.radio(
        {"smoothed density": "smoothed", "plain density": "density"}, value="smoothed density", inline=True
    )
    return lang, pivot_set, ranking


@app.cell
def show_documents(corpus, data, home, lang, mo, page, pivot_set, queries, ranking, tables):
    mo.stop(page.value != "Documents")
    mo.stop(not pivot_set.value, mo.md("No document is ranked: run `pivots build`."))
    _rows = data.ask(
        home,
        queries.top_documents,
        corpus.value,
        lang.value,
        pivot_set=pivot_set.value,
        ranking=ranking.value,
        limit=100,
    )
    ranked = tables.choice(data.beginnings(home, corpus.value, _rows), page_size=10)
    mo.vstack([mo.hstack([lang, pivot_set, ranking], justify="start", gap=2, wrap=True), ranked])
    return (ranked,)


@app.cell
def read_ranked(corpus, data, home, lang, mo, page, pivot_set, queries, ranked, tables, views):
    mo.stop(page.value != "Documents" or not ranked.value)
    _marked = frozenset(
        row["token_id"] for row in data.ask(home, queries.pivot_tokens, corpus.value, pivot_set=pivot_set.value)
    )
    _doc_id = int(ranked.value[0][tables.DOCUMENT_ID])
    _segments = data.read_document(home, corpus.value, _doc_id, pair=None, marked=_marked, from_start=True)
    mo.vstack([mo.md("orange: tokens of the pivot set"), mo.Html(views.marked_text(_segments, lang=lang.value))])
    return


@app.cell
def choose_strategies(data, experiment, home, mo, queries, strategies):
    _rows = data.ask(home, queries.scores, experiment.value) if experiment.value else []
    _names = strategies.order([row["strategy"] for row in _rows])
    _first = next(iter(_names), None)
    _mine = strategies.default if strategies.default in _names else _first
    _base = strategies.baseline if strategies.baseline in _names else _first
    strategy = mo.ui.dropdown(_names, value=_mine, label="strategy")
    baseline = mo.ui.dropdown(_names, value=_base, label="less")
    word_split = mo.ui.dropdown(
        {"evaluation words": "judge", "words that find pivots": "find", "all words": "all"},
        value="evaluation words",
        label="words",
    )
    return baseline, strategy, word_split


@app.cell
def show_strategies(
    baseline, data, experiment, home, mo, page, queries, strategies, strategy, tables, views, word_split
):
    mo.stop(page.value != "Strategies")
    mo.stop(not experiment.value, mo.md("No model has been scored: run `pivots experiment`."))
    _scores = data.ask(home, queries.scores, experiment.value, word_split=word_split.value)
    _deltas = data.ask(
        home, queries.compare_strategies, experiment.value, strategy.value, baseline.value, word_split=word_split.value
    )
    _two = [name for name in dict.fromkeys((strategy.value, baseline.value)) if name]
    _title = " less ".join(_two)
    mo.vstack(
        [
            mo.hstack([experiment, word_split], justify="start", gap=2, wrap=True),
            mo.Html(views.heading("Score, mean over all directions")),
            views.score_chart(_scores, strategies) if _scores else mo.md("No scores."),
            mo.Html(views.heading("Difference by direction")),
            mo.hstack([strategy, baseline], justify="start", gap=2, wrap=True),
            mo.Html(views.terms([(name, strategies.meanings.get(name, "")) for name in _two])),
            views.deltas(_deltas, _title) if _deltas else mo.md("Choose two different strategies."),
            tables.table(_deltas) if _deltas else mo.md(""),
        ]
    )
    return


@app.cell
def choose_runs(data, experiment, home, mo, queries, strategies, views):
    _rows = data.ask(home, queries.scores, experiment.value) if experiment.value else []
    _runs = {f"{views.run_name(row)} ({row['run_id']})": row["run_id"] for row in _rows}
    _first_of = {row["strategy"]: f"{views.run_name(row)} ({row['run_id']})" for row in reversed(_rows)}
    _mine = _first_of.get(strategies.default) or next(iter(_runs), None)
    _other = _first_of.get(strategies.baseline) or _mine
    run_a = mo.ui.dropdown(_runs, value=_mine, label="run")
    run_b = mo.ui.dropdown(_runs, value=_other, label="less run")
    return run_a, run_b


@app.cell
def show_runs(data, home, mo, page, queries, run_a, run_b, tables, views, word_split):
    mo.stop(page.value != "Strategies" or run_a.value is None)
    _rows = data.ask(home, queries.compare_runs, run_a.value, run_b.value, word_split=word_split.value)
    mo.vstack(
        [
            mo.Html(views.heading("Two runs, word by word")),
            mo.hstack([run_a, run_b], justify="start", gap=2, wrap=True),
            tables.table(
                [{name: value for name, value in row.items() if name != "item_id"} for row in _rows], page_size=10
            )
            if _rows
            else mo.md("These runs have no word in common."),
        ]
    )
    return


@app.cell
def choose_query(mo):
    query = mo.ui.code_editor(
        "select strategy, lang, n_docs, n_tokens, token_share, mean_pivot_density\n"
        "from marts.fct_selection_summary\norder by strategy, lang",
        language="sql",
        min_height=120,
    )
    run_query = mo.ui.run_button(label="Run")
    return query, run_query


@app.cell
def show_query(mo, page, query, run_query):
    mo.stop(page.value != "SQL")
    mo.vstack(
        [
            mo.md("One query on the published copy: schemas `marts` and `raw`. At most 1,000 rows and 10 seconds."),
            query,
            run_query,
        ]
    )
    return


@app.cell
def answer_query(StepFailed, UsageError, home, mo, page, query, run_query, query_rows, tables):
    mo.stop(page.value != "SQL" or not run_query.value)
    try:
        _rows = query_rows(home, query.value, max_rows=1000, time_limit_s=10)
        _shown = mo.ui.table(tables.readable(_rows), selection=None, page_size=20, show_column_summaries=False)
    except (UsageError, StepFailed) as error:
        _shown = mo.callout(str(error), kind="danger")
    _shown
    return


if __name__ == "__main__":
    app.run()
