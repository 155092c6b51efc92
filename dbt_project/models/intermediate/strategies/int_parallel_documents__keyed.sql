-- One row per corpus and eligible document: parallel ones first, then those in one language, then others, each in
-- random order. Other documents of two languages come in only where a language has nothing else, such as the documents
-- of a mixed code: MonoWeb (arXiv 2601.00364) also keeps one kind of the bilingual documents at a time.

{{ documents_of_kind_first('parallel') }}
