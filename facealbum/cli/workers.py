"""The queues: worker, beat, requeue."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, OneFamily, count_of, open_world, say_result

if TYPE_CHECKING:
    from facealbum.domain.ids import FamilyId

app = typer.Typer()


@app.command()
def worker(
    queues: Annotated[str, typer.Option("--queues", help="The queues to work on, with commas between; else all.")] = "",
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="Tasks at a time; one per core.")] = None,
) -> None:
    """Work on what the queues hold, until told to stop."""
    from workers.command import run_worker

    run_worker([name.strip() for name in queues.split(",") if name.strip()], processes)


@app.command()
def beat() -> None:
    """Send to the queues what is due by the clock; one such process is enough."""
    from workers.command import run_beat

    run_beat()


@app.command()
def relay() -> None:
    """Send to the queues what waits in the database, until told to stop; several may run."""
    from workers.relay import run_relay

    run_relay()


@app.command()
def requeue(
    family: OneFamily = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Only this queue.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Show what is parked, and send nothing.")] = False,
    photos: Annotated[bool, typer.Option("--photos", help="Photos that crashed their analysis instead.")] = False,
    as_json: Json = False,
) -> None:
    """Send messages again that were parked, as nobody could do what they say."""
    from facealbum.steps.events import send_again
    from facealbum.steps.outbox import relay, requeue_photos
    from facealbum.storage.parked import EVENTS
    from workers.sending import check_broker, send

    one = None if family is None else _id_of(family)
    if only_list:
        _list(one, queue, as_json=as_json)
        return
    if queue != EVENTS:
        check_broker()
    with open_world() as context:
        requeued = requeue_photos(context, family=one) if photos else send_again(context, family=one, queue=queue)
        if queue != EVENTS:
            relay(context, send)
    what = count_of(requeued, "photo" if photos else "message")
    say_result({"requeued": requeued}, f"{what} sent again", as_json=as_json)


def _id_of(family: str) -> "FamilyId":
    from facealbum.steps.families import family_of

    with open_world() as context:
        return family_of(context, family)


def _list(family: "FamilyId | None", queue: str | None, *, as_json: bool) -> None:
    from facealbum.steps.outbox import list_parked

    with open_world() as context:
        parked = list_parked(context, family=family, queue=queue)
    if as_json:
        console.say_json([asdict(one) for one in parked])
        return
    for one in parked:
        console.say(
            f"{one.last_at:%Y-%m-%d %H:%M} {one.queue} {one.code}, {count_of(one.attempts, 'attempt')}: {one.detail}"
        )
        console.say(f"   family {one.family_id}")
    console.say(f"{count_of(len(parked), 'message')} parked")
