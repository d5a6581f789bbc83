"""The queries behind each page of the dashboard, by page and part.

They read the schema `dashboard` alone, each by a key, a month or a limit, so that a page costs the same however many
faces there are; docs/dashboard-views.md tells what each was measured to take.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, RowMapping, text

Rows: TypeAlias = Sequence[RowMapping]

PAGES: Mapping[str, Mapping[str, str]] = {
    "overview": {
        "installation": """
            SELECT count(*) AS families, sum(photos) AS photos, sum(pending) AS pending, sum(failed) AS failed,
                   sum(faces) AS faces, max(refreshed_at) AS refreshed_at
            FROM (SELECT * FROM dashboard.family_totals LIMIT 100000) bounded
        """,
        "photos": "SELECT * FROM dashboard.photo_days WHERE day > CAST(:day AS date) - 31 ORDER BY day, event, reason",
        "queue": "SELECT * FROM dashboard.queue",
        "jobs": "SELECT * FROM dashboard.monthly_jobs ORDER BY number DESC LIMIT 5",
    },
    "overview_metrics": {
        "metrics": """
            SELECT * FROM dashboard.metrics
            WHERE arm = :arm AND slice = '' AND metric IN ('association', 'breakage', 'coverage')
            ORDER BY month DESC, metric LIMIT 72
        """,
    },
    "runs": {"jobs": "SELECT * FROM dashboard.monthly_jobs ORDER BY number DESC LIMIT 50"},
    "run": {
        "job": "SELECT * FROM dashboard.monthly_jobs WHERE number = :number",
        "failures": """
            SELECT code, count(*) AS families FROM dashboard.monthly_job_families
            WHERE number = :number AND status = 'failed' GROUP BY code ORDER BY families DESC, code
        """,
        "families": """
            SELECT * FROM dashboard.monthly_job_families
            WHERE number = :number AND status = 'failed' ORDER BY finished_at DESC LIMIT 100
        """,
    },
    "run_month": {
        "change": """
            SELECT * FROM dashboard.metrics
            WHERE arm = :arm AND slice = '' AND month IN (:month, CAST(:month AS date) - interval '1 month')
              AND metric IN ('coverage', 'association', 'waiting', 'churn', 'breakage', 'cluster_size')
        """,
    },
    "changes": {
        "runs": "SELECT * FROM dashboard.runs WHERE family_id = :family AND arm = :arm ORDER BY month, started_at"
    },
    "breakage": {
        "arms": "SELECT arm FROM dashboard.arms ORDER BY arm",
        "months": "SELECT * FROM dashboard.breakage WHERE arm = :arm AND slice = '' ORDER BY month, kind",
    },
    "breakage_month": {
        "slices": """
            SELECT * FROM dashboard.breakage
            WHERE arm = :arm AND month = :month AND kind = 'breakage' ORDER BY slice
        """,
        "families": """
            SELECT family_id, total, cases FROM dashboard.family_metrics
            WHERE arm = :arm AND month = :month AND metric = 'breakage' AND slice = '' AND total > 0
            ORDER BY total DESC, family_id LIMIT 100
        """,
    },
    "corrections": {"months": "SELECT * FROM dashboard.corrections ORDER BY month, arm, kind"},
    "drift": {
        "months": """
            SELECT * FROM dashboard.drift WHERE month > CAST(:month AS date) - interval '24 months'
            ORDER BY month, analyzer_id, against, distribution
        """
    },
    "jobs": {
        "queue": "SELECT * FROM dashboard.queue",
        "parked": "SELECT * FROM dashboard.parked ORDER BY messages DESC, queue, code",
        "problems": "SELECT * FROM dashboard.photo_problems ORDER BY photos DESC, stage, code",
    },
    "models": {
        "arms": "SELECT * FROM dashboard.arms ORDER BY arm",
        "promotions": "SELECT * FROM dashboard.promotions ORDER BY number DESC LIMIT 100",
        "analyzers": "SELECT * FROM dashboard.analyzers ORDER BY analyzer_id",
        "spaces": "SELECT * FROM dashboard.spaces ORDER BY space",
        "reembeddings": "SELECT * FROM dashboard.reembeddings ORDER BY number DESC LIMIT 20",
        "compatibility": "SELECT * FROM dashboard.compatibility ORDER BY number DESC LIMIT 20",
    },
    "experiments": {
        "experiments": "SELECT * FROM dashboard.experiments ORDER BY started_at DESC NULLS FIRST, experiment",
        "arms": "SELECT * FROM dashboard.experiment_arms ORDER BY experiment, control DESC, arm",
    },
    "families": {
        "families": "SELECT * FROM dashboard.families WHERE family_id > :after ORDER BY family_id LIMIT 100",
    },
    "search": {
        "families": """
            SELECT * FROM dashboard.families
            WHERE family_id BETWEEN :first AND :last OR family_id = :family ORDER BY family_id LIMIT 100
        """,
    },
    "family": {
        "family": "SELECT * FROM dashboard.families WHERE family_id = :family",
        "timeline": """
            SELECT * FROM dashboard.person_months
            WHERE family_id = :family AND arm_id = (SELECT arm_id FROM dashboard.arms WHERE arm = :arm)
                AND month > CAST(:month AS date) - interval '12 months' AND month <= CAST(:month AS date)
            ORDER BY month, person_id
        """,
        "links": "SELECT * FROM dashboard.links WHERE family_id = :family AND arm = :arm ORDER BY person_id",
        "together": """
            SELECT * FROM dashboard.person_pairs
            WHERE family_id = :family AND arm_id = (SELECT arm_id FROM dashboard.arms WHERE arm = :arm)
            ORDER BY photos DESC, person_id, other_id LIMIT 20
        """,
        "runs": """
            SELECT * FROM dashboard.runs
            WHERE family_id = :family AND arm = :arm ORDER BY month DESC, started_at DESC LIMIT 12
        """,
        "broken": """
            SELECT * FROM dashboard.broken_persons
            WHERE family_id = :family AND arm = :arm AND broken ORDER BY month DESC, person_id LIMIT 50
        """,
    },
    "person": {
        "months": """
            SELECT * FROM dashboard.person_months
            WHERE family_id = :family AND person_id = :person ORDER BY month DESC
        """,
        "together": """
            SELECT * FROM dashboard.person_pairs
            WHERE family_id = :family AND (person_id = :person OR other_id = :person)
            ORDER BY photos DESC, person_id, other_id LIMIT 20
        """,
        "broken": """
            SELECT * FROM dashboard.broken_persons
            WHERE family_id = :family AND person_id = :person AND broken ORDER BY month DESC LIMIT 24
        """,
    },
    "annotation": {"samples": "SELECT * FROM dashboard.samples ORDER BY drawn_at DESC LIMIT 50"},
    "signals": {
        "months": """
            SELECT * FROM dashboard.signals WHERE month > CAST(:month AS date) - interval '24 months'
            ORDER BY month, source, kind
        """
    },
}
"""SQL by page and part.

Parameters: arm (its name), month and day (dates), number (a job's), family, person, after, first and last (ids).
"""


def load_page(connection: Connection, page: str, **given: object) -> dict[str, Rows]:
    """Every part of a page, as rows by column; `given` may hold more than the page asks for."""
    connection.execute(text("SET LOCAL jit = off"))  # compiling such a query costs more than running it
    found: dict[str, Rows] = {}
    for part, query in PAGES[page].items():
        statement = text(query)
        wanted = {name: given[name] for name in statement._bindparams}  # noqa: SLF001 - there is no public list of them
        found[part] = connection.execute(statement, wanted).mappings().all()
    return found
