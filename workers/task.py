"""What all tasks share: nothing that a queue holds is lost, and nothing is tried for ever.

An error that may pass is tried again, later and later.  Any other, and the last of too many attempts, parks the
message with its reason.  A message that a broker hands out again was in the hands of somebody who died; that is an
attempt as well, so a photo that kills its process ends up parked too.  The price: a message is sent anew, to the end
of its queue, for each attempt.
"""

import signal
from typing import Any, NoReturn

from celery import Task, signals
from celery.exceptions import Reject, Retry
from celery.utils.time import get_exponential_backoff_interval

from facealbum.errors import FacealbumError, FamilyBusyError, UnknownFamilyError
from facealbum.logs import get_logger, place_of
from facealbum.settings import load_settings
from facealbum.steps.outbox import park
from workers.app import longest_wait
from workers.observed import observed
from workers.process import this_context

_log = get_logger(__name__)


class TimeUp(BaseException):
    """The task has used up its time.  No error of the task's own: what catches those must not catch this."""


class QueueTask(Task):
    """The base of every task: calls it with its one message, and answers for what becomes of that."""

    abstract = True
    its_queue: str  # Celery's own `queue` is deprecated

    def __call__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever somebody has sent
        """Do what the message says, or see to it that it is tried again or parked."""
        message = args[0] if len(args) == 1 and not options else {"args": args, "options": options}
        with observed(self.its_queue, message, self.request) as ended:
            ended.outcome = self._do(message)

    def _do(self, message: Any) -> str:  # noqa: ANN401 - as above
        """What became of it: done, gone or parked; raises Retry and Reject."""
        if self._was_handed_out_before():
            died = ("killed", "the process that had it died, or was killed for its time")
            return self._fail(message, died, may_pass=True)
        try:
            self.run(message)
        except UnknownFamilyError:
            return "gone"
        except TimeUp:
            return self._fail(
                message, ("time_limit", f"not done within {load_settings().task_seconds:g} s"), may_pass=True
            )
        except FamilyBusyError as error:  # nothing to count: whoever has the family comes to an end
            self._try_again((error.code, place_of(error)), counted=False)
        except FacealbumError as error:
            return self._fail(message, (error.code, place_of(error)), may_pass=error.retryable)
        except Exception as error:  # noqa: BLE001 - parked with its kind and place, no value
            return self._fail(message, ("crashed", place_of(error)), may_pass=False)
        return "done"

    def _was_handed_out_before(self) -> bool:
        """Whether somebody else had this very message; SQS tells it by a count, the others by a flag."""
        about = (self.request.properties or {}).get("delivery_info", {}).get("sqs_message", {}).get("Attributes", {})
        redelivered = (self.request.delivery_info or {}).get("redelivered")
        return bool(redelivered) or int(about.get("ApproximateReceiveCount", 1)) > 1

    def _fail(self, message: Any, error: tuple[str, str], *, may_pass: bool) -> str:  # noqa: ANN401 - as above
        attempts = self.request.retries + 1
        if may_pass and attempts < load_settings().task_attempts:
            self._try_again(error)
        try:
            park(this_context(), self.its_queue, message, error=error, attempts=attempts)
        except Exception as failure:  # noqa: BLE001 - what can't be parked stays in the queue
            self._try_again((error[0], place_of(failure)))
        _log.error("task_parked", code=error[0], place=error[1])
        return "parked"

    def _try_again(self, error: tuple[str, str], *, counted: bool = True) -> NoReturn:
        """Send the message anew; if the broker doesn't take it, leave it where it is.

        `Task.retry` would drop it in that case.
        """
        tries = self.request.retries + counted
        longest = longest_wait(load_settings())
        seconds = max(1, get_exponential_backoff_interval(1, tries, longest, full_jitter=True))  # whole, for RabbitMQ
        _log.warning("task_tried_again", code=error[0], place=error[1], wait_seconds=seconds)
        try:
            self.apply_async(
                self.request.args,
                self.request.kwargs,
                task_id=self.request.id,
                retries=tries,
                countdown=seconds,
                queue=self.its_queue,
            )
        except Exception as failure:
            raise Reject(place_of(failure), requeue=True) from failure
        raise Retry(error[0], when=seconds)


@signals.task_prerun.connect
def _stop_in_time(**_: object) -> None:
    """Have a task that runs out of time stopped by TimeUp; the pool's own handler is set after every other signal."""
    signal.signal(signal.SIGUSR1, _time_up)


def _time_up(*_: object) -> NoReturn:
    raise TimeUp
