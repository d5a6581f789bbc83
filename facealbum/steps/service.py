"""What a process that runs for ever shares with every other: its turns, its pauses, and its end.

What may pass is waited for, longer and longer; anything else ends the process, which its supervisor starts again.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from facealbum.errors import FacealbumError

LONGEST_PAUSE_SECONDS = 10.0


def repeat(
    turn: Callable[[], object], stop: Event, *, seconds: float, on_failure: Callable[[FacealbumError, float], None]
) -> None:
    """Call `turn` every so many seconds until `stop` is set; tells each error that may pass, and the pause after it."""
    pause = seconds
    while not stop.is_set():
        try:
            turn()
            pause = seconds
        except FacealbumError as error:
            if not error.retryable:
                raise
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            on_failure(error, pause)
        stop.wait(pause)


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set."""
    stop = Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
