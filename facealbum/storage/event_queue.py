"""The SQS queue, standard or FIFO, through which an object store tells of its objects.

A message is the receiver's for a while, which is extended as long as the receiver works; what it doesn't delete then
comes again.  Credentials, region and endpoint come from boto3's standard environment.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Protocol

from facealbum.errors import BrokerUnavailableError, FacealbumError, InvalidValueError

_AT_ONCE = 10  # the most that SQS gives
_POLL_SECONDS = 5  # how long a process that is told to stop may be waiting for messages
_SERVER_ERRORS = 500
_OVERLOADED = {"RequestThrottled", "ThrottlingException", "KmsThrottled"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in our hands; `receipt` is what deletes it."""

    body: str
    receipt: str


class EventQueue(Protocol):
    """Gives messages, and takes them back if they aren't deleted."""

    def receive(self) -> list[Delivery]:
        """Some messages, none if there are none for some seconds; raises BrokerUnavailableError."""
        ...

    def delete(self, done: Delivery) -> None:
        """Forget a message that was dealt with."""
        ...

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let somebody else have them at once."""
        ...

    @contextmanager
    def kept(self, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """Nobody else gets them during the block."""
        ...


class SqsEventQueue:
    """The queue of this URL; a message that nobody has spoken of for `seconds` is given to somebody else.

    wait_seconds: how long to wait for messages where there are none.
    """

    def __init__(self, url: str, seconds: int, *, wait_seconds: int = _POLL_SECONDS) -> None:
        import boto3  # noqa: PLC0415 - half a second, and only needed here
        from botocore.config import Config  # noqa: PLC0415

        self._url = url
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        with self._translated():
            self._client = boto3.client("sqs", config=Config(retries={"mode": "standard", "max_attempts": 5}))

    def receive(self) -> list[Delivery]:
        """Some messages, none if there are none for some seconds; raises BrokerUnavailableError."""
        with self._translated():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                WaitTimeSeconds=self._wait_seconds,
                VisibilityTimeout=self._seconds,
            )
        return [Delivery(one["Body"], one["ReceiptHandle"]) for one in answer.get("Messages", ())]

    def check(self) -> None:
        """Return if the queue answers; raises BrokerUnavailableError, InvalidValueError if it is none."""
        with self._translated():
            self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])

    def delete(self, done: Delivery) -> None:
        """Forget a message that was dealt with."""
        with self._translated():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=done.receipt)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let somebody else have them at once."""
        self._hold(deliveries, 0)

    @contextmanager
    def kept(self, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """Nobody else gets them during the block, which may take as long as it likes."""
        done = Event()

        def extend() -> None:
            while not done.wait(self._seconds / 3):
                with suppress(FacealbumError):  # what somebody else gets as well does no harm
                    self._hold(deliveries, self._seconds)

        thread = Thread(target=extend, name="events", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _hold(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        """Those that were deleted are left out by the queue itself."""
        if deliveries:
            entries = [
                {"Id": str(number), "ReceiptHandle": one.receipt, "VisibilityTimeout": seconds}
                for number, one in enumerate(deliveries)
            ]
            with self._translated():
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from botocore import exceptions  # noqa: PLC0415

        try:
            yield
        except exceptions.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response.get("Error", {}).get("Code", "")
            if status >= _SERVER_ERRORS or code in _OVERLOADED:
                raise BrokerUnavailableError(
                    f"the queue of events did not answer ({code}); it is asked again"
                ) from error
            raise InvalidValueError(
                f"FACEALBUM_EVENTS_QUEUE must be the URL of an SQS queue that we may read and delete from, not {code}"
            ) from error
        except (exceptions.NoRegionError, exceptions.NoCredentialsError, ValueError) as error:
            raise InvalidValueError(
                f"SQS needs AWS_DEFAULT_REGION and credentials in the environment ({type(error).__name__})"
            ) from error
        except exceptions.BotoCoreError as error:
            raise BrokerUnavailableError(
                f"the queue of events can't be reached ({type(error).__name__}); check AWS_ENDPOINT_URL_SQS"
            ) from error
