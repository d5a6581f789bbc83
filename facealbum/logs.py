"""Logs: one event a line on standard error, as JSON for machines or as text for people.

An event has a constant name (docs/operations/events.md), ids, counts, codes and seconds.  The text of an error may
hold a name or a path, so of errors only kind and place are logged, also of one that ends the process.  What libraries
log comes the same way: as the event `library`, its errors cut down alike.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal, TextIO

import structlog
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.types import Processor

_SILENT_BELOW_WARNING = (
    "alembic",
    "celery.app.trace",  # our events tell of tasks
    "celery.beat",
    "celery.worker.strategy",
    "httpx",
    "uvicorn.access",
)
_TOLD_OF_NAMES = ("celery", "kombu", "billiard", "botocore", "boto3", "s3transfer", "urllib3")
"""Loggers whose arguments may be what a message holds, what came of it, or the key of an object."""

_WARNING = re.compile(r"(?:[^:]*/)?([^/:]+:\d+: \w+)")  # place and kind; its text may hold values
_TELLS_NOTHING = re.compile(r"workers\.\w+\.\w+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # our tasks, and ids
_PLACES = 8  # of the innermost calls that led to an error
_FIRST = ("at", "level", "event")


def get_logger(name: str) -> BoundLogger:
    """The logger of a module; its events come out once `configure_logs` was called."""
    steps: list[Processor] = [
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        ProcessorFormatter.wrap_for_formatter,
    ]
    logger: BoundLogger = structlog.wrap_logger(logging.getLogger(name), steps, wrapper_class=BoundLogger)
    return logger


_log = get_logger(__name__)


def configure_logs(form: Literal["json", "text"] | None) -> None:
    """Log from here on; without a form as text in a terminal, as JSON elsewhere."""
    as_text = sys.stderr.isatty() if form is None else form == "text"
    shown: Processor = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if as_text else JSONRenderer()
    handler = _Lines()
    handler.addFilter(_without_values)
    foreign: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _as_library,
    ]
    steps: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        TimeStamper("iso", key="at", utc=True),
        _error,
        _in_order,
        shown,
    ]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=foreign, processors=steps))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Lines)] + [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    for name in _SILENT_BELOW_WARNING:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_crash(error: BaseException) -> bool:
    """Tell of an error that nobody caught, as the event `crashed`; False if this process doesn't log."""
    if not any(isinstance(handler, _Lines) for handler in logging.getLogger().handlers):
        return False
    _log.critical("crashed", error=place_of(error), places=_places(error))
    return True


def place_of(error: BaseException) -> str:
    """The kind of an error and where it arose: what may be told of it, as its text may hold values."""
    places = extract_tb(error.__traceback__)
    where = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{where}"


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to whatever is standard error at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _without_values(record: logging.LogRecord) -> bool:
    """Take out of a library's record what may be somebody's: the text of errors, and what tasks were given."""
    if record.name == "py.warnings":
        found = _WARNING.match(record.getMessage())
        record.msg, record.args = found[1] if found else "…", ()
    shown = not record.name.startswith(_TOLD_OF_NAMES)
    if isinstance(record.args, Mapping):
        record.args = {key: _value(value, shown=shown) for key, value in record.args.items()}
    elif record.args:
        record.args = tuple(_value(value, shown=shown) for value in record.args)
    if isinstance(record.msg, str):  # asyncio and others append errors, whole, on further lines
        record.msg, record.args = record.getMessage().strip().partition("\n")[0], ()
    return True


def _value(value: object, *, shown: bool) -> object:
    if isinstance(value, int | float):
        return value
    error = value if isinstance(value, BaseException) else getattr(value, "exception", None)
    if isinstance(error, BaseException):
        return place_of(error)
    return value if shown or _TELLS_NOTHING.fullmatch(str(value)) else "…"


def _as_library(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["message"] = event["event"]
    event["event"] = "library"
    return event


def _error(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An error's kind and the places that led to it."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else sys.exception() if found is True else found
    if isinstance(error, BaseException):
        event["error"] = place_of(error)
        event["places"] = _places(error)
    event.pop("stack_info", None)
    return event


def _places(error: BaseException) -> list[str]:
    return [f"{Path(at.filename).name}:{at.lineno}" for at in extract_tb(error.__traceback__)[-_PLACES:]]


def _in_order(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: event[name] for name in _FIRST if name in event} | {
        name: value for name, value in event.items() if name not in _FIRST
    }
