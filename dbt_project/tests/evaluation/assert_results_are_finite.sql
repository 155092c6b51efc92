-- A warning, not an error: see the explanation of each row.
{{ config(severity='warn') }}

select
    run_id,
    signature,
    value,
    threshold,
    explanation
from {{ ref('fct_failure_signatures') }}
where signature in ('non_finite_values') and status = 'flagged'
