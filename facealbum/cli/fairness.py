"""`facealbum fairness` and `facealbum attribution`: how each slice fares, and what drove links."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from facealbum import console
from facealbum.cli.command import Json, finish, open_world
from facealbum.errors import InvalidValueError

if TYPE_CHECKING:
    from facealbum.domain.months import Month
    from facealbum.steps.fairness import Fairness
    from facealbum.steps.link_inputs import Mix

app = typer.Typer()
fairness = typer.Typer(
    name="fairness", help="See whether albums are as good for every part of all families.", no_args_is_help=True
)
attribution = typer.Typer(
    name="attribution", help="See which inputs drove links, and how that changes.", no_args_is_help=True
)
app.add_typer(fairness)
app.add_typer(attribution)

OfArm = Annotated[str | None, typer.Option("--arm", help="The arm; without it the installation's.")]
OfMonth = Annotated[str | None, typer.Option("--month", help="The month, as 2026-10; without it the newest.")]


@fairness.command("show")
def fairness_show(
    first: Annotated[str | None, typer.Option("--from", help="The first month, as 2026-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last one; without it the newest.")] = None,
    metric: Annotated[str, typer.Option("--metric", help="One metric; coverage stands beside it.")] = "",
    arm: OfArm = None,
    as_json: Json = False,
) -> None:
    """Each metric by slice, with intervals that hold together; the exit code is 3 if a slice is worse than all."""
    from eval.fairness.slices import Standing
    from facealbum.steps.fairness import load_fairness

    with open_world() as context:
        found = load_fairness(context, _month(first), _month(last), arm=arm)
    if as_json:
        console.say_json(found.to_dict())
    else:
        _say(found, metric)
    worse = [one for slices in found.months.values() for one in slices if one.standing is Standing.WORSE]
    finish(problems=bool(worse))


def _say(found: "Fairness", metric: str) -> None:
    for month, slices in found.months.items():
        rows = [
            (
                one.metric,
                one.slice or "all",
                "" if one.estimate.value is None else f"{one.estimate.value:.1%}",
                f"{one.estimate.low:.1%} to {one.estimate.high:.1%}",
                f"{one.estimate.cases:g}",
                one.estimate.families,
                one.standing.value if one.slice else "",
            )
            for one in slices
            if metric in {"", one.metric} or one.metric == "coverage"
        ]
        columns = ("metric", "slice", "value", "interval", "of", "families", "beside all")
        console.table(f"{month} under the arm {found.arm}", columns, rows)


@fairness.command("accuracy")
def fairness_accuracy(
    measure: Annotated[str, typer.Option("--measure", help="One measure, as age_right.")] = "",
    arm: OfArm = None,
    as_json: Json = False,
) -> None:
    """How often annotators and users found things right, by slice; the exit code is 3 if a slice is worse than all."""
    from eval.fairness.slices import Standing
    from facealbum.steps.accuracy import load_accuracy

    with open_world() as context:
        found = load_accuracy(context, arm=arm)
    if as_json:
        console.say_json(found.to_dict())
    else:
        rows = [
            (
                one.source,
                one.measure,
                one.slice or "all",
                "" if one.estimate.value is None else f"{one.estimate.value:.1%}",
                f"{one.estimate.low:.1%} to {one.estimate.high:.1%}",
                one.items,
                one.estimate.families,
                one.standing.value if one.slice else "",
            )
            for one in found.rows
            if measure in {"", one.measure}
        ]
        columns = ("said by", "measure", "slice", "right", "interval", "items", "families", "beside all")
        console.table(f"Accuracy under the arm {found.arm}", columns, rows)
    finish(problems=any(one.standing is Standing.WORSE for one in found.rows))


@fairness.command("gate")
def fairness_gate(
    candidate: Annotated[str, typer.Argument(help="The arm to be judged.", metavar="ARM")],
    present: Annotated[str | None, typer.Option("--present", help="The arm it would replace.")] = None,
    month: OfMonth = None,
    absolute: Annotated[float, typer.Option("--absolute", help="How much worse a slice may get, as 0.02.")] = 0.02,
    relative: Annotated[float, typer.Option("--relative", help="The same, of what is wrong in it today.")] = 0.1,
    as_json: Json = False,
) -> None:
    """Whether an arm makes any slice worse; the exit code is 3 unless it surely doesn't."""
    from eval.fairness.gate import Bounds, Verdict
    from facealbum.steps.fairness import judge_arms

    bounds = Bounds(absolute, relative)
    with open_world() as context:
        found = judge_arms(context, candidate, month=_month(month), present=present, bounds=bounds)
    if as_json:
        console.say_json(found.to_dict())
    else:
        every = {**found.metrics, **{f"{name}, labelled": one for name, one in found.labelled.items()}}
        rows = [(name, one.verdict.value, one.reason) for name, one in every.items()]
        console.table(f"the gate on the worst slice: {found.verdict.value}", ("metric", "verdict", "reason"), rows)
    finish(problems=found.verdict is not Verdict.PASS)


@attribution.command("show")
def attribution_show(
    family: Annotated[str, typer.Argument(help="The family's id.", metavar="FAMILY_ID")],
    person: Annotated[str, typer.Argument(help="The linked person's id.", metavar="PERSON_ID")],
    as_json: Json = False,
) -> None:
    """What drove a person's link to its child, as shares of its log odds against the best alternative."""
    from facealbum.domain.ids import FamilyId, PersonId
    from facealbum.linking import INPUTS
    from facealbum.steps.link_inputs import describe_link, explain_link

    with open_world() as context:
        link = explain_link(context, FamilyId(_uuid(family)), PersonId(_uuid(person)))
    if as_json:
        console.say_json(describe_link(link))
    elif link.inputs is None:
        console.say("a user's word alone made this link: the photos' dates rule the child out")
    else:
        rows = [(name, f"{getattr(link.inputs, name):+.2f}") for name in INPUTS]
        against = link.inputs.against or "nobody registered"
        caption = f"{link.child_id} against {against}: probability {link.probability:.3f}"
        console.table(caption, ("input", "log odds"), [*rows, ("together", f"{link.inputs.log_odds:+.2f}")])


@attribution.command("mix")
def attribution_mix(month: OfMonth = None, arm: OfArm = None, as_json: Json = False) -> None:
    """What drove links month by month; --month counts one again.  The exit code is 3 if the newest raised an alarm."""
    from facealbum.steps.link_inputs import load_mix, watch_mix

    chosen = _month(month)
    with open_world() as context:
        found = watch_mix(context, chosen, arm=arm) if chosen else load_mix(context, arm=arm)
    if as_json:
        console.say_json(found.to_dict())
    else:
        _say_mix(found)
    finish(problems=bool(found.alarms))


def _say_mix(found: "Mix") -> None:
    rows = [
        (
            str(one.month),
            one.input,
            one.links,
            f"{one.mean:+.2f}",
            "" if one.distance is None else f"{one.distance:.3f}",
            "" if one.threshold is None else f"{one.threshold:.3f}",
            "ALARM" if one.alarm else "",
        )
        for one in found.months
    ]
    columns = ("month", "input", "links", "mean log odds", "distance", "threshold", "")
    console.table(f"What drove links under the arm {found.arm}", columns, rows)
    console.show_problems([f"ALARM: {alarm}" for alarm in found.alarms])


def _month(text: str | None) -> "Month | None":
    from facealbum.domain.months import Month

    return Month.parse(text) if text else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidValueError(f"ids of families and persons must be UUIDs, got {text!r}") from None
