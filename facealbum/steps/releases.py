"""Bringing a version of a model to families in stages, and taking it back: the one way for commands, API and pages.

What is computed beforehand (an arm, an experiment, vectors) may be there already and is then used as it is; the stage
itself changes in one transaction with what families see.  So a promotion that was cut short is finished by asking for
it again, and nothing is ever half in production.
"""

from dataclasses import dataclass, replace

from facealbum.domain.model_gates import GateVerdict, refusing
from facealbum.domain.model_versions import (
    ModelKind,
    ModelVersion,
    Move,
    Stage,
    expect_move,
    expect_slot,
    find_promotion,
    plan_served,
    plan_undone,
    stages_of,
)
from facealbum.errors import ConflictError, InvalidValueError, RefusedError
from facealbum.steps.arm_plans import FOLLOWING, load_side
from facealbum.steps.arms import expect_arm, install_arm, take_back_promotion
from facealbum.steps.context import OPERATOR, Context
from facealbum.steps.embedder_release import restore_embedder, serve_embedder
from facealbum.steps.embedders import check_licence, find_embedder, models_folder
from facealbum.steps.model_gates import Look, judge_gates
from facealbum.steps.model_trials import begin_trial, end_trials, give_arm
from facealbum.steps.packaged_models import register_embedder, register_packaged
from facealbum.steps.registry import find_model
from facealbum.steps.served_models import thresholds_of
from facealbum.storage.audit import save_entry
from facealbum.storage.registry import (
    Deed,
    load_changes,
    load_production,
    load_version,
    load_versions_of,
    lock_registry,
    save_moves,
    update_version,
)
from facealbum.storage.service_tokens import is_anybody_registered
from facealbum.storage.serving import load_installed_arm, load_promotions


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, and why; accept: for research and nothing else.  override: past gates that may be passed over.

    share: of the families that a canary is shown to.  months: that a shadow compares, at most.
    """

    author: str = OPERATOR
    reason: str = ""
    accept: bool = False
    override: bool = False
    share: float = 0.05
    months: int = 12


@dataclass(frozen=True, slots=True)
class Release:
    """What became of a wish; waits: another user must ask for the same.  experiment: what it is tried in.

    lacking: faces that a new embedder has not embedded itself yet.
    """

    model: ModelVersion
    verdicts: tuple[GateVerdict, ...]
    waits: bool = False
    experiment: str | None = None
    lacking: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The embedder that the database works with from now on; lacking: faces that it has not embedded itself yet."""

    name: str
    licence: str
    lacking: int
    waits: bool = False


def promote_model(context: Context, address: str, stage: Stage, wish: Wish) -> Release:
    """Bring a version to a stage, through every gate before it.

    Shadow and canary begin an experiment with it.  Production is asked for by one user and granted by another as soon
    as users are registered.  Raises RefusedError with what each gate asks for, ConflictError for a stage that can't
    follow or a kind that is not served from here, UnknownModelError, and InvalidValueError for an override without
    reason.
    """
    if wish.override and not wish.reason:
        raise InvalidValueError("passing over a gate needs a reason, and is on record with it; give --reason")
    model = find_model(context, address)
    _expect_stage(model.kind, stage)
    if model.stage is not stage:
        expect_move(model, stage)
    verdicts = _pass_gates(context, model, stage, wish)
    overridden = tuple(one.gate for one in verdicts if one.refuses)
    deed = Deed(
        wish.author, wish.reason or f"every gate before {stage} is open", context.clock(), overridden=overridden
    )
    if stage is Stage.PRODUCTION:
        approved = _approve(context, model, deed)
        if approved is None:
            return Release(find_model(context, str(model.model_id)), verdicts, waits=True)
        end_trials(context, model, author=wish.author)
        lacking = _serve(context, model, approved)
        return Release(find_model(context, str(model.model_id)), verdicts, lacking=lacking)
    end_trials(context, model, author=wish.author, but=stage)
    experiment = begin_trial(context, model, stage, share=wish.share, months=wish.months, author=wish.author)
    _move(context, model, stage, deed)
    return Release(find_model(context, str(model.model_id)), verdicts, experiment=experiment)


def use_model(context: Context, name: str, *, accept_research_only: bool = False) -> Choice:
    """Promote the embedder of this machine that is called so; raises as `promote_model` does.

    Raises InvalidValueError if its licence allows research only and that was not accepted, and ModelNotInstalledError.
    """
    embedder = find_embedder(name, models_folder(context.settings))
    check_licence(embedder, accepted=accept_research_only)
    with context.database.begin() as transaction:
        model_id = register_embedder(transaction, embedder, now=context.clock())
    wish = Wish(reason="chosen by facealbum models use", accept=accept_research_only)
    release = promote_model(context, str(model_id), Stage.PRODUCTION, wish)
    return Choice(name, embedder.licence, release.lacking, release.waits)


def rollback_model(context: Context, slot: str, *, author: str, reason: str = "") -> ModelVersion | None:
    """Put back what served before the newest promotion in this slot; reads no photo, and needs no second user.

    Tells what serves now.  Raises InvalidValueError for what is no slot, ConflictError if there is nothing to take
    back, or an arm was promoted since, and IncompatibleError if faces have come meanwhile that the embedder before
    knows nothing of.
    """
    expect_slot(slot)
    with context.database.begin() as transaction:
        lock_registry(transaction)
        register_packaged(transaction, now=context.clock())
        of_adapter = slot.startswith(f"{ModelKind.ADAPTER}/")
        act = find_promotion(load_changes(transaction, slot=slot), replaces=not of_adapter)
        deed = Deed(author, reason or "taken back", context.clock())
        changes = load_changes(transaction, act=act)
        if of_adapter:
            save_moves(transaction, plan_undone(changes), deed, undoes=act)
        elif (promotion := changes[0].promotion) is None:
            before = next(one.model_id for one in changes if one.before is Stage.PRODUCTION)
            restore_embedder(context, transaction, load_version(transaction, before), deed, undoes=act)
        else:
            newest = load_promotions(transaction)[0]
            if newest.number != promotion:
                raise ConflictError(f"the arm {newest.arm} was promoted since; take that back: facealbum arms rollback")
            take_back_promotion(transaction, author=author, now=deed.at, deed=deed)
        return load_production(transaction, slot)


def retire_model(context: Context, address: str, *, author: str, reason: str = "") -> ModelVersion:
    """Take a version out that doesn't serve, with the experiments that try it; raises ConflictError if it serves."""
    model = find_model(context, address)
    expect_move(model, Stage.RETIRED)
    end_trials(context, model, author=author)
    _move(context, model, Stage.RETIRED, Deed(author, reason or "not needed any more", context.clock()))
    return find_model(context, str(model.model_id))


def register_arm(context: Context, name: str, *, author: str = OPERATOR) -> ModelVersion:
    """Put an arm's algorithm and numbers into the registry as a version of thresholds; again is the same row.

    Raises UnknownArmError, and InvalidValueError for an arm that follows the release, whose numbers are there already.
    """
    if name in FOLLOWING:
        raise InvalidValueError(f"{name} follows the release, whose thresholds are registered; create another arm")
    with context.database.begin() as transaction:
        lock_registry(transaction)
        register_packaged(transaction, now=context.clock())
        deed = Deed(author, "registered", context.clock())
        return thresholds_of(transaction, expect_arm(transaction, name), deed)


def _expect_stage(kind: ModelKind, stage: Stage) -> None:
    """Raise ConflictError unless versions of the kind come to this stage."""
    may = stages_of(kind)
    if not may:
        kinds = ", ".join(one for one in ModelKind if stages_of(one))
        raise ConflictError(f"what serves as {kind} comes with a release of facealbum; only {kinds} are promoted")
    if stage not in may:
        raise ConflictError(f"no {kind} can be tried in the stage {stage}; it comes to {', '.join(may)}")


def _pass_gates(context: Context, model: ModelVersion, stage: Stage, wish: Wish) -> tuple[GateVerdict, ...]:
    """What every gate says, kept with the version; raises RefusedError if some refuse."""
    with context.database.begin() as transaction:
        verdicts = judge_gates(Look(context, transaction, model, wish.accept), stage)
        told = {one.gate: {**one.to_dict(), "at": context.clock().isoformat()} for one in verdicts}
        update_version(transaction, model.model_id, gates={**model.gates, **told})
    if refused := refusing(verdicts, override=wish.override):
        said = "; ".join(f"{one.gate}: {one.reason}" for one in refused)
        raise RefusedError(f"{model.label} may not come to {stage} - {said}")
    return verdicts


def _approve(context: Context, model: ModelVersion, deed: Deed) -> Deed | None:
    """The deed with who asked and who granted it; None if it must wait for another user."""
    with context.database.begin() as transaction:
        if not is_anybody_registered(transaction):
            return deed
        asked = load_version(transaction, model.model_id).asked_by
        if asked not in {None, deed.author}:
            return replace(deed, author=str(asked), approver=deed.author)
        update_version(transaction, model.model_id, asked_by=deed.author)
        if asked is None:
            save_entry(transaction, "ask", f"model {model.model_id}", author=deed.author, now=deed.at)
        return None


def _move(context: Context, model: ModelVersion, stage: Stage, deed: Deed) -> None:
    with context.database.begin() as transaction:
        lock_registry(transaction)
        now = load_version(transaction, model.model_id)
        if now.stage is not stage:
            expect_move(now, stage)
            save_moves(transaction, [Move(now.model_id, now.stage, stage)], deed)


def _serve(context: Context, model: ModelVersion, deed: Deed) -> int:
    """Let families come to it; the number of faces that an embedder has not embedded itself yet."""
    if model.kind is ModelKind.EMBEDDER:
        return serve_embedder(context, model, deed)
    if model.kind is ModelKind.ADAPTER:
        _serve_adapter(context, model, deed)
        return 0
    name = give_arm(context, model, author=deed.author).arm
    with context.database.begin() as transaction:
        load_side(transaction, load_installed_arm(transaction), context.settings)  # there to go back to
        arm = expect_arm(transaction, str(name))
        install_arm(transaction, arm, author=deed.author, now=deed.at, deed=deed)
        return 0


def _serve_adapter(context: Context, model: ModelVersion, deed: Deed) -> None:
    """From now on its change of spaces goes by it; vectors that another adapter made stay until they are made anew."""
    with context.database.begin() as transaction:
        lock_registry(transaction)
        beside = load_versions_of(transaction, slot=model.slot)
        save_moves(transaction, plan_served(beside, {model.slot: model.model_id}), deed)
