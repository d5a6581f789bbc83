"""Analysis: every pending photo or video becomes faces, or a recorded reason why not.

Processes decode and infer, the caller's process writes; an upload is one transaction, so an analysis cut short goes
on where it stopped.  The result does not depend on the number of processes.  One analysis works at a time: a second
one waits, and takes what is left.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from facealbum.domain.photos import NamedProblem, Problem
from facealbum.steps.analysis_pool import pooled_outcomes
from facealbum.steps.analyst import Outcome, analyse_upload
from facealbum.steps.analyze_upload import AnalysedBy, save_outcome, set_up
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_in_use
from facealbum.steps.match import match_family
from facealbum.storage.analysis_lock import lock_analysis
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_families
from facealbum.storage.photos import load_pending
from facealbum.storage.runs import lock_family
from facealbum.storage.spaces import mark_outdated

_POLL_SECONDS = 1


@dataclass(slots=True)
class AnalyzeResult:
    """Counts, and where the time went: seconds of work by phase, summed over all processes.

    matched: faces that no run has looked at yet and that are shown with a known person.
    """

    photos: int = 0
    faces: int = 0
    matched: int = 0
    processes: int = 0
    wall_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[NamedProblem] = field(default_factory=list)


def analyze_pending(
    context: Context,
    *,
    family: str | None = None,
    again: bool = False,
    in_process: bool = False,
    waiting: Callable[[], None] = lambda: None,
) -> AnalyzeResult:
    """Analyse what is pending in one family or in all, and match the faces; raises UnknownFamilyError.

    With `again`, photos that other models than today's have analysed count as pending, and those that failed; a face
    that is found again keeps its id, its person and every decision.  What is deleted meanwhile is not counted.
    With `in_process` this process does the work itself, and ends with a photo that kills it.  `waiting` is called if
    another analysis is at work, whose end is waited for.
    """
    with context.database.begin() as alone:
        _wait_for_turn(alone, waiting)
        return _analyze(context, family, again=again, in_process=in_process)


def _wait_for_turn(transaction: Transaction, waiting: Callable[[], None]) -> None:
    """Have no other analysis work until the transaction ends."""
    if lock_analysis(transaction):
        return
    waiting()
    while not lock_analysis(transaction):
        time.sleep(_POLL_SECONDS)


def _analyze(context: Context, family: str | None, *, again: bool, in_process: bool) -> AnalyzeResult:
    start = perf_counter()
    with context.database.begin() as transaction:
        families = {one.family_id: one.name for one in load_families(transaction, family)}
        models = models_in_use(transaction, context.settings)
        by = AnalysedBy.load(context, transaction, models)
        if again:
            for identity in families:
                mark_outdated(transaction, identity, by.analyzer.analyzer_id)
        pending = [photo for identity in families for photo in load_pending(transaction, identity)]
    result = AnalyzeResult(processes=min(context.settings.processes or os.cpu_count() or 1, len(pending)))
    context.progress.begin("Analysing photos", len(pending))
    setup = set_up(context.settings, models)
    analyse_here = partial(analyse_upload, setup=setup)
    outcomes = map(analyse_here, pending) if in_process else pooled_outcomes(pending, result.processes, setup)
    for outcome in outcomes:
        _save(context, outcome, by, families[outcome.photo.family_id], result)
        context.progress.advance()
    matching = perf_counter()
    result.matched = sum(match_family(context, one).matched for one in sorted({one.family_id for one in pending}))
    if pending:
        result.seconds["match"] = perf_counter() - matching
    result.wall_seconds = perf_counter() - start
    return result


def _save(context: Context, outcome: Outcome, by: AnalysedBy, family: str, result: AnalyzeResult) -> None:
    start, now = perf_counter(), context.clock()
    with context.database.begin() as transaction:
        lock_family(transaction, outcome.photo.family_id)
        if not save_outcome(transaction, outcome, by, now=now):
            return
    if isinstance(problem := outcome.result, Problem):
        result.problems.append(NamedProblem(family, outcome.photo.key, problem.stage, problem.code, problem.detail))
    result.faces += outcome.faces
    result.photos += 1
    for phase, spent in (*outcome.seconds.items(), ("write", perf_counter() - start)):
        result.seconds[phase] = result.seconds.get(phase, 0.0) + spent
