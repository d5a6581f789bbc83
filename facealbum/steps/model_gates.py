"""The gates that a version of a model passes on its way to families: each looks at one thing and says what it found.

What a gate can't know it calls unknown and never passes; which gates stand before which stage, and which of them may be
passed over, is in facealbum.domain.model_gates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eval.experiments import Outcome as Found
from eval.experiments import Verdict
from eval.fairness.gate import judge_worst_slice, read_training
from eval.metrics import METRICS, Better
from facealbum.domain.model_gates import (
    ARTEFACT,
    BASELINE,
    COMPATIBILITY,
    FAIRNESS,
    GATES,
    LICENCE,
    SHADOW,
    GateVerdict,
    Outcome,
    judge_metrics,
)
from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage
from facealbum.domain.sentences import Sentence, Term, join_sentences
from facealbum.errors import FacealbumError, IncompatibleError, said_by
from facealbum.steps.adapt import read_adapter
from facealbum.steps.artefacts import verify_artefact
from facealbum.steps.compat import require_compatible
from facealbum.steps.context import Context
from facealbum.steps.embedders import installed_space
from facealbum.steps.experiment_results import count_months_over, judge_experiment
from facealbum.steps.fairness import judge_slices_of
from facealbum.storage.compat_reports import load_compat_reports
from facealbum.storage.database import Transaction
from facealbum.storage.experiments import Experiment, load_experiments
from facealbum.storage.observations import load_arm
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.spaces import has_faces


@dataclass(frozen=True, slots=True)
class Look:
    """What gates look at; accepted: whoever asks uses it for research and nothing else."""

    context: Context
    transaction: Transaction
    model: ModelVersion
    accepted: bool


class Gate(Protocol):
    """One gate; it changes nothing."""

    def __call__(self, look: Look) -> GateVerdict:
        """What it says of the version."""
        ...


def judge_gates(look: Look, stage: Stage) -> tuple[GateVerdict, ...]:
    """What every gate before the stage says, in their order."""
    return tuple(_GATES[name](look) for name in GATES[stage])


def _judge_artefact(look: Look) -> GateVerdict:
    try:
        where = verify_artefact(look.context, look.transaction, look.model)
    except FacealbumError as error:
        return GateVerdict(ARTEFACT, Outcome.FAIL, _told(error))
    return GateVerdict(ARTEFACT, Outcome.PASS, where, {"sha256": look.model.sha256})


def _judge_licence(look: Look) -> GateVerdict:
    figures = {"licence": look.model.licence, "research_only": look.model.research_only}
    if look.model.research_only and not look.accepted:
        reason = Sentence(
            "the licence of %(model)s must be accepted, it is: %(licence)s; nobody may use it for anything but"
            " research; give --accept-research-only if that is what you do",
            model=look.model.name,
            licence=look.model.licence,
        )
        return GateVerdict(LICENCE, Outcome.FAIL, reason, figures)
    return GateVerdict(LICENCE, Outcome.PASS, Sentence("%(said)s", said=look.model.licence), figures)


def _judge_baseline(look: Look) -> GateVerdict:
    return judge_metrics(look.model)


def _judge_fairness(look: Look) -> GateVerdict:
    """By slices of the families that it was tried on and of what its training was judged on; a failure in one is one.

    Too few groups say nothing, and close nothing.
    """
    found = [one for one in (_judge_tried(look), _judge_trained(look.model)) if one is not None]
    for outcome in (Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN):
        for one in found:
            if one.outcome is outcome:
                return one
    return GateVerdict(FAIRNESS, Outcome.UNKNOWN, Sentence("nothing was measured by slice"), needed=False)


def _judge_tried(look: Look) -> GateVerdict | None:
    """Its arm beside what families see."""
    if look.model.arm is None or load_arm(look.transaction, load_installed_arm(look.transaction)) is None:
        return None
    found = judge_slices_of(look.transaction, look.model.arm)
    return GateVerdict(FAIRNESS, Outcome(found.verdict), found.reason, found.to_dict(), needed=False)


def _judge_trained(model: ModelVersion) -> GateVerdict | None:
    """The groups that its training never saw."""
    primary = model.primary or ""
    better = _direction(model.metrics.get(primary, {}))
    if better is None or not model.slices:
        return None
    found = judge_worst_slice(read_training(model.slices, primary, better))
    return GateVerdict(FAIRNESS, Outcome(found.verdict), found.reason, found.to_dict(), needed=False)


def _direction(metric: Mapping[str, Any]) -> Better | None:
    """Which way the metric is better, as its own verdict tells; None if it shows no difference."""
    if metric.get("better") is None or "difference" not in metric:
        return None
    return Better.HIGHER if (metric["difference"]["value"] > 0) == metric["better"] else Better.LOWER


def _judge_compatibility(look: Look) -> GateVerdict:
    """Of embedders and adapters; anything else leaves vectors as they are."""
    if look.model.kind is ModelKind.ADAPTER:
        return _judge_adapter(look)
    if look.model.kind is not ModelKind.EMBEDDER:
        return GateVerdict(COMPATIBILITY, Outcome.PASS, Sentence("it leaves the vectors of faces as they are"))
    spaces = installed_space(look.transaction), look.model.name
    try:
        require_compatible(look.transaction, *spaces)
    except IncompatibleError as error:
        return GateVerdict(COMPATIBILITY, Outcome.FAIL, _told(error))
    reason = Sentence("from %(old)s to %(new)s albums lose nobody", old=spaces[0], new=spaces[1])
    return GateVerdict(COMPATIBILITY, Outcome.PASS, reason)


def _judge_adapter(look: Look) -> GateVerdict:
    """By the newest report on what albums would lose by its vectors."""
    found = read_adapter(look.context, look.model)
    reports = load_compat_reports(look.transaction, found.source, found.target)
    mine = next((one for one in reports if one.adapter == look.model.label), None)
    if mine is None:
        command = f"facealbum eval compat {found.source} {found.target} --adapter {look.model.label}"
        return GateVerdict(
            COMPATIBILITY, Outcome.UNKNOWN, Sentence("nobody has measured it, do: %(command)s", command=command)
        )
    if not mine.passed:
        reason = Sentence("albums lose people by it, as report %(number)s tells", number=mine.number)
        return GateVerdict(COMPATIBILITY, Outcome.FAIL, reason)
    reason = Sentence("albums lose nobody by it, as report %(number)s tells", number=mine.number)
    return GateVerdict(COMPATIBILITY, Outcome.PASS, reason)


def _judge_shadow(look: Look) -> GateVerdict:
    """Of what changes decisions, beside what families see; an embedder is measured by its compatibility report, too."""
    if look.model.kind is ModelKind.ADAPTER:
        return GateVerdict(SHADOW, Outcome.PASS, Sentence("nobody sees it before its space is promoted"))
    needed = look.model.kind is not ModelKind.EMBEDDER
    if not has_faces(look.transaction):
        return GateVerdict(SHADOW, Outcome.PASS, Sentence("there is no face yet"))
    tried = [one for one in load_experiments(look.transaction) if look.model.arm in _treatments(one)]
    if look.model.arm is None or not tried:
        command = f"facealbum models promote {look.model.label} --to shadow"
        reason = Sentence("it was not tried beside what families see; %(command)s", command=command)
        return GateVerdict(SHADOW, Outcome.UNKNOWN, reason, needed=needed)
    told = _verdict_of(look, tried[0])
    if told is None:
        reason = Sentence(
            "no month of experiment %(name)s is over; facealbum cluster goes on with it", name=tried[0].name
        )
        return GateVerdict(SHADOW, Outcome.UNKNOWN, reason, needed=needed)
    verdict, figures = Verdict.from_dict(told), {"experiment": tried[0].name, "verdict": told}
    broken = [rail.metric for rail in verdict.guardrails if rail.passed is False]
    said = Sentence("experiment %(name)s says: %(verdict)s", name=tried[0].name, verdict=Term(verdict.outcome.value))
    if broken:
        harmed = (Sentence("it harms %(metric)s", metric=Term(METRICS[metric].title)) for metric in broken)
        said = join_sentences([said, *harmed])
    fails = verdict.outcome in {Found.WORSE, Found.REFUSED} or broken
    return GateVerdict(SHADOW, Outcome.FAIL if fails else Outcome.PASS, said, figures, needed=needed)


def _told(error: FacealbumError) -> Sentence:
    """What the error says, as far as pages can."""
    told = said_by(error)
    return told if isinstance(told, Sentence) else Sentence("%(said)s", said=told)


def _treatments(experiment: Experiment) -> set[str]:
    return {arm.name for arm in experiment.treatments}


def _verdict_of(look: Look, experiment: Experiment) -> Mapping[str, Any] | None:
    """What the experiment says of the version's arm, None before a month of it is over."""
    assert look.model.arm is not None, "it was tried"  # noqa: S101
    if experiment.verdicts is not None:
        return experiment.verdicts.get(look.model.arm)
    over = count_months_over(look.context, look.transaction, experiment)
    return judge_experiment(look.transaction, experiment, over)[look.model.arm].to_dict() if over else None


_GATES: Mapping[str, Gate] = {
    ARTEFACT: _judge_artefact,
    LICENCE: _judge_licence,
    BASELINE: _judge_baseline,
    FAIRNESS: _judge_fairness,
    COMPATIBILITY: _judge_compatibility,
    SHADOW: _judge_shadow,
}
