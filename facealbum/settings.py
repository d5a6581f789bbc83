"""Settings, read once from the environment by an entry point and passed on.

Every setting is an environment variable with the prefix FACEALBUM_, so FACEALBUM_DATA sets `data`.  The variable with
_FILE behind it names a file that holds the value instead, which is how containers are given passwords.
"""

import os
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from facealbum.domain.cron import Cron
from facealbum.errors import InvalidValueError


def _default_data() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "facealbum"


class Settings(BaseSettings):
    """What an operator can change without touching code."""

    model_config = SettingsConfigDict(env_prefix="FACEALBUM_", frozen=True, extra="ignore")

    data: Path = Field(
        default_factory=_default_data,
        description="The folder that holds everything of the embedded defaults: database, photos, logs.",
    )
    database_url: str | None = Field(
        default=None,
        description="A PostgreSQL with pgvector 0.8 or newer, as postgresql://…; without it the embedded one runs.",
    )
    object_store: str | None = Field(
        default=None,
        description="Where photos are kept: s3://bucket/prefix or a folder; without it a folder under `data`.",
    )
    broker_url: str | None = Field(
        default=None,
        description="The queues that workers listen on, as amqp://…, redis://… or sqs://…; only workers need it.",
    )
    task_seconds: float = Field(
        default=600, ge=1, le=20_000, description="A task that takes longer is stopped and tried again."
    )
    task_attempts: int = Field(
        default=5, ge=1, le=100, description="How often a message is tried before it is parked with its reason."
    )
    worker_memory_mb: int = Field(
        default=2000, ge=500, description="A worker's process that grows larger is replaced after its task."
    )
    worker_stop_seconds: float = Field(
        default=20, ge=0, description="How long a worker that is told to stop lets its tasks go on, before it gives up."
    )
    relay_seconds: float = Field(
        default=10, ge=1, le=3600, description="How often messages that wait in the database are sent."
    )
    status_port: int = Field(
        default=0, ge=0, le=65_535, description="Where each process answers /metrics, /healthz and /readyz; 0: nowhere."
    )
    logs: Literal["json", "text"] | None = Field(
        default=None, description="How logs are written; without it as text in a terminal, as JSON elsewhere."
    )
    analysis_batch: int = Field(
        default=8, ge=1, le=1000, description="Photos that one message of the queue `analysis` names."
    )
    upload_seconds: int = Field(default=900, ge=1, le=604_800, description="How long a signed upload URL is good for.")
    max_request_bytes: int = Field(
        default=2_000_000_000, ge=1, description="Larger requests are refused by `facealbum web`, unread."
    )
    web_threads: int = Field(
        default=8, ge=1, le=200, description="Requests that `facealbum web` works on at a time, each with a connection."
    )
    api_tokens: str | None = Field(
        default=None,
        description="Who may use `facealbum web`: tokens with commas between; TOKEN=FAMILY-ID is good for that family.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])",
        description="The OpenID Connect provider that users may log in by, as https://…; needs facealbum[oidc].",
    )
    oidc_client_id: str | None = Field(default=None, description="What that provider calls facealbum.")
    oidc_client_secret: str | None = Field(default=None, description="The secret that it gave facealbum.")
    events_queue: str | None = Field(
        default=None, description="The URL of the SQS queue to which the object store's bucket sends its events."
    )
    events_seconds: int = Field(
        default=60, ge=3, le=43_200, description="After so long without a word, SQS gives an event to somebody else."
    )
    monthly_cron: str = Field(
        default="0 3 1 * *",
        description="When the month before is run for all families, as five fields of cron; empty: never by itself.",
    )
    timezone: str = Field(default="UTC", description="The time zone of `monthly_cron`, such as Asia/Tokyo.")
    clustering_in_flight: int = Field(
        default=200, ge=1, le=10_000, description="Families of a monthly job that are handed out to workers at once."
    )
    coverage_alarm: float = Field(
        default=0.5, ge=0, le=1, description="A monthly job that leaves fewer faces with a person raises an alarm."
    )
    reconcile_after_seconds: float = Field(
        default=600, ge=1, description="A photo that has waited longer for its analysis is announced again."
    )
    past_months: int = Field(
        default=0, ge=0, le=1200, description="Months for which is kept what was known before; 0 means for ever."
    )
    processes: int = Field(default=0, ge=0, le=256, description="Processes that analyse photos; 0 means one per core.")
    max_photo_bytes: int = Field(default=200_000_000, ge=1, description="Larger files are refused on import, in bytes.")
    max_pixels: int = Field(
        default=200_000_000, ge=1, le=10**9, description="Larger photos and video frames are refused."
    )

    max_video_bytes: int = Field(default=1_000_000_000, ge=1, description="Larger videos are refused on import.")
    max_video_seconds: float = Field(default=3600, gt=0, le=10**6, description="Longer videos are refused.")
    max_video_frames: int = Field(
        default=3600,
        ge=1,
        le=10**6,
        description="Frames that are looked at in one video; in a long one, farther apart.",
    )
    video_interval_seconds: float = Field(
        default=1.0, ge=0.04, le=3600, description="Time between the frames of a video that are looked at."
    )
    model_mirror: str | None = Field(
        default=None,
        description="Where models are fetched from instead of their publishers: a folder, or a http(s) or file URL.",
    )

    @field_validator("monthly_cron")
    @classmethod
    def _is_schedule(cls, text: str) -> str:
        if text:
            Cron.parse(text)
        return text

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidValueError("a time zone must be one of the IANA database, such as Asia/Tokyo") from error
        return name

    @property
    def data_folder(self) -> Path:
        """`data` as an absolute path."""
        return self.data.expanduser().absolute()

    @property
    def object_store_url(self) -> str:
        """The object store in use, the default included."""
        return self.object_store or str(self.data_folder / "objects")


def load_settings() -> Settings:
    """The settings of this environment; raises InvalidValueError that names each variable that is wrong."""
    try:
        return Settings(**_values_in_files())
    except ValidationError as error:
        wrong = [
            f"FACEALBUM_{str(one['loc'][0]).upper()}: {one['msg']}, got {one['input']!r}" for one in error.errors()
        ]
        raise InvalidValueError("; ".join(wrong)) from error


def _values_in_files() -> dict[str, Any]:
    """The settings whose values lie in files, without the line end that an editor leaves there."""
    found = {}
    for name in Settings.model_fields:
        variable = f"FACEALBUM_{name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if path and variable in os.environ:
            raise InvalidValueError(f"set {variable} or {variable}_FILE, not both")
        if path:
            try:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidValueError(f"{variable}_FILE must name a text file that can be read: {error}") from error
    return found
