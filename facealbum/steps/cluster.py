"""The monthly step: cluster a family's new faces with the people it knows, link people to children, count breakage.

One transaction a month and family, under the family's lock.  A month whose faces, algorithm and parameters are
those of an earlier run is done: running it again changes nothing.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from facealbum.clustering import (
    ClusteringProblem,
    ClusterPlan,
    LabelBreakage,
    Unpinned,
    constrain_tracks,
    count_breakage,
    plan_beside_unpinned,
)
from facealbum.code_version import code_version
from facealbum.corrections import outrank
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, RunId, run_id
from facealbum.domain.months import Month
from facealbum.errors import UnknownFamilyError
from facealbum.linking import plan_links
from facealbum.steps.arm_models import ArmModels, evidence_of_arm, faces_of_arm, nodes_of_arm
from facealbum.steps.arm_plans import (
    ArmPlan,
    Side,
    load_arms_needed,
    load_side,
    save_side,
    serve_assigned,
)
from facealbum.steps.birth_dates import DoubtedBirth, find_doubted_births
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_in_use
from facealbum.steps.metrics import measure_corrections, measure_month, total_months
from facealbum.steps.reading import load_lacking_spaces, side_of_family
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import apply_person_words, load_decision_marks, load_demands
from facealbum.storage.deletions import load_arrival_marks
from facealbum.storage.families import Family, load_children, load_families, load_family
from facealbum.storage.family_metrics import MeasuredMonth, load_companies
from facealbum.storage.matches import load_provisional
from facealbum.storage.observations import (
    expect_whole_families,
    load_face_ids,
    load_months,
    load_photos_of,
    load_tracks,
    load_waiting,
)
from facealbum.storage.runs import (
    Broken,
    Run,
    apply_clustering,
    apply_links,
    has_run,
    load_clusters,
    load_linked_persons,
    lock_family,
)
from facealbum.storage.serving import load_served_arm


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a family that is locked, and when to stop after a month that was run; None: no limit."""

    lock_seconds: float | None = None
    stop_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MonthOutcome:
    """What one run of one family did."""

    family: str
    month: Month
    faces: int
    attached: int
    founded: int
    moved: int
    persons: int
    waiting: int
    links: int
    broken: int
    labels: int

    @property
    def changes(self) -> int:
        """Faces that got a person, persons that turned out to be another one, and links that changed."""
        return self.attached + self.founded + self.moved + self.links


@dataclass(slots=True)
class ClusterResult:
    """The runs that were made, how many months were up to date already, and each family's doubted birth dates.

    other_runs: of arms that are not shown.  unfinished: there was no more time, and months are left.
    """

    runs: list[MonthOutcome] = field(default_factory=list)
    up_to_date: int = 0
    relinked: int = 0
    families: int = 0
    doubted_births: dict[str, tuple[DoubtedBirth, ...]] = field(default_factory=dict)
    other_runs: int = 0
    unfinished: bool = False

    @property
    def changes(self) -> int:
        """Faces that got a person, persons that moved and links that changed, over all runs."""
        return sum(run.changes for run in self.runs) + self.relinked


def cluster_families(
    context: Context,
    through: Month,
    *,
    family: str | None = None,
    arm: ArmPlan | Side | str | None = None,
    dry_run: bool = False,
    patience: Patience = Patience(),
) -> ClusterResult:
    """Run every month up to `through` that isn't done, oldest first, for one family or all of them.

    Under each arm that a family needs, or only under `arm` if the installation never was on it; the result tells of
    the first, the one that the family is shown.  Faces are first embedded for the spaces of all these arms.  With
    `dry_run` that one is computed, then rolled back.  Of all families, one that is deleted meanwhile is left out.
    Raises UnknownFamilyError if `family` is not there, or no more, and FamilyBusyError if a family stays locked for
    longer than `patience` lasts; what was done until then is kept.
    """
    with context.database.begin() as transaction:
        families = load_families(transaction, family)
        if isinstance(arm, ArmPlan):
            arm = save_side(transaction, arm, models_in_use(transaction, context.settings))
    began = context.clock()
    order = _Order(through, arm, patience, dry_run=dry_run)
    result = ClusterResult(families=len(families))
    context.progress.begin("Clustering families", len(families))
    for one in families:
        try:
            _cluster_family(context, one, order, result)
        except UnknownFamilyError:
            if family is not None:
                raise
            result.families -= 1
        if result.unfinished:
            return result
        context.progress.advance()
    if family is None and not dry_run:
        with context.database.begin() as transaction:
            total_months(transaction, since=began, through=through, now=context.clock())
    return result


@dataclass(frozen=True, slots=True)
class _Order:
    """What `cluster_families` was asked for."""

    through: Month
    arm: Side | str | None
    patience: Patience
    dry_run: bool


def _cluster_family(context: Context, family: Family, order: _Order, result: ClusterResult) -> None:
    """Every month of one family under each of its arms; raises UnknownFamilyError if it is deleted meanwhile."""
    arm, dry_run = order.arm, order.dry_run
    if not dry_run:
        _estimate(context, family, order.patience)
    with context.database.begin() as transaction:
        load_family(transaction, family.family_id)
        sides = [arm] if isinstance(arm, Side) else _sides(context, transaction, family, arm, dry_run=dry_run)
        lacking = [] if dry_run else load_lacking_spaces(transaction, family.family_id, sides)
    if lacking and not _fill(context, family.family_id, lacking, order.patience):
        result.unfinished = True
        return
    with context.database.begin() as transaction:
        sides = [side_of_family(transaction, context.settings, family.family_id, side) for side in sides]
    for place, side in enumerate(sides):
        own = ClusterResult() if place else result
        _Clustering(context, family, side, order.patience, own).through(order.through, dry_run=dry_run)
        result.other_runs += len(own.runs) if place else 0
        result.unfinished = own.unfinished
        if own.unfinished:
            return
    if not dry_run:
        with context.database.begin() as transaction:
            serve_assigned(transaction, family.family_id, arms=sides, now=context.clock())


def _estimate(context: Context, family: Family, patience: Patience) -> None:
    """Bring what the family is shown of ages, genders and qualities up to the models in production."""
    with context.database.begin() as transaction:
        lock_family(transaction, family.family_id, wait_seconds=patience.lock_seconds)
        ArmModels.installed(context, transaction).estimate_family(transaction, family.family_id)


def _sides(context: Context, transaction: Transaction, family: Family, arm: str | None, *, dry_run: bool) -> list[Side]:
    """The arms to run for the family, the first of which is reported."""
    if dry_run:
        names: tuple[str, ...] = (arm or load_served_arm(transaction, family.family_id),)
    else:
        names = load_arms_needed(transaction, family.family_id, arm, now=context.clock())
    return [load_side(transaction, name, context.settings) for name in names]


def _fill(context: Context, family: FamilyId, spaces: Sequence[int], patience: Patience) -> bool:
    from facealbum.steps.reembed import fill_family  # noqa: PLC0415 - only who needs them holds the networks

    return all(fill_family(context, family, space, stop_at=patience.stop_at) for space in spaces)


@dataclass(frozen=True, slots=True)
class _Clustering:
    """The months of one family under one arm."""

    context: Context
    family: Family
    side: Side
    patience: Patience
    result: ClusterResult

    def through(self, last: Month, *, dry_run: bool) -> None:
        """Every month up to `last`, each in a transaction of its own, or all in one that is rolled back."""
        if dry_run:
            with self.context.database.begin(trial=True) as transaction:
                self._months(transaction, load_months(transaction, self.family.family_id, last))
            return
        runs_before = len(self.result.runs)
        with self.context.database.begin() as transaction:
            months = load_months(transaction, self.family.family_id, last)
        for month in months:
            if self._out_of_time(runs_before):
                self.result.unfinished = True
                return
            with self.context.database.begin() as transaction:
                self._months(transaction, [month])
        with self.context.database.begin() as transaction:
            self._lock(transaction)
            expect_whole_families(transaction)
            if len(self.result.runs) == runs_before:  # a run links by itself; this is for children registered since
                self.result.relinked += self._link(transaction, run=None)
            arm, model = self.side.arm, self.side.models["embedder"]
            now = self.context.clock()
            newest = min(last, Month.of(now))  # nobody has corrected anything in a month that is to come
            here = MeasuredMonth(self.family.family_id, arm.arm_id, newest, None, model, code_version())
            measure_corrections(transaction, here, arm=arm.name, now=now)

    def _out_of_time(self, runs_before: int) -> bool:
        """Whether to stop here; never before a month was run, so that whoever goes on gets to the end."""
        stop_at = self.patience.stop_at
        return stop_at is not None and len(self.result.runs) > runs_before and self.context.clock() >= stop_at

    def _lock(self, transaction: Transaction) -> None:
        lock_family(transaction, self.family.family_id, wait_seconds=self.patience.lock_seconds)
        load_family(transaction, self.family.family_id)  # which may be deleted between two of its months

    def _months(self, transaction: Transaction, months: Sequence[Month]) -> None:
        self._lock(transaction)
        expect_whole_families(transaction)
        for month in months:
            self._month(transaction, month)

    def _month(self, transaction: Transaction, month: Month) -> None:
        family, now = self.family.family_id, self.context.clock()
        marks = load_decision_marks(transaction, family, month)
        marks += load_arrival_marks(transaction, family, self.side.arm, month)
        digest = self._digest(load_face_ids(transaction, family, self.side.arm, month), marks)
        identity = run_id(family, self.side.arm.name, str(month), digest)
        if has_run(transaction, family, identity):
            self.result.up_to_date += 1
            return
        companies = load_companies(transaction, family, self.side.arm.arm_id)
        problem = _load_problem(self.context, transaction, family, self.side, month)
        plan, free = plan_beside_unpinned(problem, self.side.plan.clustering, algorithm=self.side.plan.algorithm)
        broken = self._break(transaction, free)
        run = Run(
            family_id=family,
            run_id=identity,
            arm=self.side.arm,
            month=month,
            input_digest=digest,
            code_version=code_version(),
            models=dict(self.side.models),
            faces=len(problem.faces),
            nodes=len(problem.nodes),
            started_at=now,
            maker_id=self.side.maker_id,
        )
        apply_clustering(transaction, run, plan, broken, now=self.context.clock())
        apply_person_words(transaction, family, self.side.arm.arm_id, now=self.context.clock())
        links = self._link(transaction, run=identity)
        measure_month(transaction, run, companies, now=self.context.clock())
        self.result.runs.append(_outcome(self.family, run, plan, links, broken.labels))

    def _break(self, transaction: Transaction, free: Unpinned) -> Broken:
        """What becomes of the pseudo-labels; a clustering that an earlier run has made is not made again."""
        known = load_clusters(transaction, self.family.family_id, free.digest, code_version=code_version())
        clusters = free.cluster() if known is None else known
        return Broken(free.digest, clusters, count_breakage(free.label(clusters), self.side.plan.breakage))

    def _link(self, transaction: Transaction, *, run: RunId | None) -> int:
        family = self.family.family_id
        persons = evidence_of_arm(self.context, transaction, family, self.side.arm)
        children = load_children(transaction, family)
        plan = plan_links(persons, children, self.side.plan.linking)
        self.result.doubted_births[self.family.name] = find_doubted_births(
            self.family, children, persons=persons, plan=plan, parameters=self.side.plan.linking
        )
        return apply_links(transaction, family, plan, run=run, now=self.context.clock())

    def _digest(self, faces: Sequence[FaceId], decisions: Sequence[str]) -> str:
        """What a run depends on, as far as it makes the run another one."""
        given = [
            self.side.arm.algorithm,
            dict(self.side.arm.parameters),
            dict(self.side.models),
            [str(face) for face in faces],
            *decisions,
        ]
        return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def _load_problem(
    context: Context, transaction: Transaction, family: FamilyId, side: Side, month: Month
) -> ClusteringProblem:
    arm = side.arm
    nodes = nodes_of_arm(context, transaction, family, arm, side.plan.clustering)
    a_node = {node.person_id: node.observation.face_id for node in nodes}
    waiting = load_waiting(transaction, family, arm, before=month.next().start())
    faces = faces_of_arm(context, transaction, family, arm, faces=waiting)
    child_of = load_linked_persons(transaction, family, arm)
    photos_of = load_photos_of(
        transaction, family, arm, among=(face.photo_id for face in faces), whole=_of_one_child(child_of)
    )
    told, touched = load_demands(
        transaction,
        family,
        arm.arm_id,
        faces={face.face_id: face.photo_id for face in faces},
        node_of=a_node,
        photos_of=photos_of,
    )
    return ClusteringProblem(
        faces=tuple(face for face in faces if face.face_id not in told.withheld),
        nodes=nodes,
        constraints=outrank(told.constraints, constrain_tracks(load_tracks(transaction, family, arm), a_node)),
        photos_of=photos_of,
        child_of={person: child for person, child in child_of.items() if person not in touched},
        provisional=load_provisional(transaction, family, arm),
    )


def _of_one_child(child_of: Mapping[PersonId, ChildId]) -> set[PersonId]:
    """The persons that share their child with another one."""
    persons_of = Counter(child_of.values())
    return {person for person, child in child_of.items() if persons_of[child] > 1}


def _outcome(family: Family, run: Run, plan: ClusterPlan, links: int, broken: Sequence[LabelBreakage]) -> MonthOutcome:
    return MonthOutcome(
        family=family.name,
        month=run.month,
        faces=run.faces,
        attached=len(plan.attach),
        founded=sum(len(group.face_ids) for group in plan.create),
        moved=len(plan.move),
        persons=len(plan.create),
        waiting=len(plan.leave),
        links=links,
        broken=sum(label.broken for label in broken),
        labels=len(broken),
    )
