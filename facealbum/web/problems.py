"""Errors as a client reads them: problem+json (RFC 9457) with our code, and what to do.

Errors of ours beyond the client's reach, and those that nobody foresaw, tell nothing but their code.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, SkipValidation
from starlette.exceptions import HTTPException

from facealbum.errors import (
    ChangedMeanwhileError,
    ContradictionError,
    FacealbumError,
    InvalidValueError,
    PhotoError,
    UndoError,
    said_by,
)
from facealbum.logs import get_logger, place_of

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
_log = get_logger(__name__)
STATUSES = {
    "forbidden": HTTPStatus.FORBIDDEN,
    "wrong_sign_in": HTTPStatus.UNAUTHORIZED,
    "too_many_attempts": HTTPStatus.TOO_MANY_REQUESTS,
    "unknown_family": HTTPStatus.NOT_FOUND,
    "unknown_photo": HTTPStatus.NOT_FOUND,
    "unknown_upload": HTTPStatus.NOT_FOUND,
    "unknown_face": HTTPStatus.NOT_FOUND,
    "unknown_person": HTTPStatus.NOT_FOUND,
    "unknown_child": HTTPStatus.NOT_FOUND,
    "unknown_decision": HTTPStatus.NOT_FOUND,
    "unknown_run": HTTPStatus.NOT_FOUND,
    "unknown_album": HTTPStatus.NOT_FOUND,
    "object_not_found": HTTPStatus.NOT_FOUND,
    "not_analysed": HTTPStatus.CONFLICT,
    "key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "key_in_use": HTTPStatus.CONFLICT,
    "key_spent": HTTPStatus.CONFLICT,
    "unknown_arm": HTTPStatus.NOT_FOUND,
    "unknown_experiment": HTTPStatus.NOT_FOUND,
    "unknown_search": HTTPStatus.NOT_FOUND,
    "unknown_pipeline_run": HTTPStatus.NOT_FOUND,
    "unknown_sample": HTTPStatus.NOT_FOUND,
    "unknown_item": HTTPStatus.NOT_FOUND,
    "unknown_user": HTTPStatus.NOT_FOUND,
    "unknown_token": HTTPStatus.NOT_FOUND,
    "unknown_model": HTTPStatus.NOT_FOUND,
    "nothing_measured": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "incompatible": HTTPStatus.CONFLICT,
    "refused": HTTPStatus.CONFLICT,
    "model_not_installed": HTTPStatus.CONFLICT,
    "name_taken": HTTPStatus.CONFLICT,
    "not_uploaded": HTTPStatus.CONFLICT,
    "contradiction": HTTPStatus.CONFLICT,
    "undo": HTTPStatus.CONFLICT,
    "changed_meanwhile": HTTPStatus.CONFLICT,
    "image_size": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


class Problem(BaseModel):
    """What went wrong: `code` is stable, `detail` says what was expected and what to do.

    `numbers`: of the decisions that stand in the way.  `current`: what somebody changed meanwhile, as it is now.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:facealbum:problem:name_taken",
                    "title": "Conflict",
                    "status": 409,
                    "code": "name_taken",
                    "detail": "the family has other content under this name; give the new picture a name of its own",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    code: str
    detail: SkipValidation[str]
    numbers: tuple[int, ...] | None = None
    current: dict[str, Any] | None = None


def problem(status: int, code: str, detail: str, **more: Any) -> Problem:  # noqa: ANN401 - as pydantic checks them
    """The problem of this status and code."""
    kind = f"urn:facealbum:problem:{code}"
    return Problem(type=kind, title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more)


def problem_of(error: FacealbumError) -> Problem:
    """An error of ours as a problem; one that isn't the client's is logged."""
    if error.retryable:
        _log.warning("request_failed", code=error.code, place=place_of(error))
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, error.code, "this can't be done now; send it again later")
    if status := STATUSES.get(error.code):
        return problem(status, error.code, said_by(error), **_more(error))
    if isinstance(error, PhotoError | InvalidValueError):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, said_by(error))
    _log.error("request_failed", code=error.code, place=place_of(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, error.code, "the service failed; tell its operator the code")


def _more(error: FacealbumError) -> dict[str, Any]:
    if isinstance(error, ContradictionError | UndoError):
        return {"numbers": error.numbers}
    return {"current": dict(error.current)} if isinstance(error, ChangedMeanwhileError) else {}


def answer(found: Problem) -> JSONResponse:
    """The problem as a response."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if found.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if found.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(found.model_dump(mode="json", exclude_none=True), found.status, headers, MEDIA_TYPE)


def explain_errors(app: FastAPI, tell: Callable[[Request, Problem], Response]) -> None:
    """Have the application tell every error so."""

    @app.exception_handler(FacealbumError)
    def ours(request: Request, error: FacealbumError) -> Response:
        return tell(request, problem_of(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return tell(request, problem(HTTPStatus.UNPROCESSABLE_ENTITY, InvalidValueError.code, "; ".join(wrong)))

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code).name.lower()
        return tell(request, problem(error.status_code, code, str(error.detail)))


_USUAL = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problems of an endpoint, for its description."""
    schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status): {"description": status.phrase, "content": schema} for status in (*_USUAL, *statuses)}
