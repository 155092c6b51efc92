-- A warning, not an error: see the explanation of each row.
{{ config(severity='warn') }}

select
    run_id,
    signature,
    value,
    threshold,
    explanation
from {{ ref('fct_failure_signatures') }}
where signature in ('scores_at_chance') and status = 'flagged'
