"""The operator's settings, each an environment variable ASSAY_<NAME>, as documented in docs/reference/settings.md."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sandboxes.interface import Tier


class Settings(BaseSettings):
    """Raises pydantic's ValidationError, which names the setting, for a value that does not fit."""

    model_config = SettingsConfigDict(env_prefix="ASSAY_", frozen=True, extra="forbid")

    home: Path = Field(Path(".assay"), description="Folder of the database and of what the service keeps beside it.")
    database_url: str = Field("", description="SQLAlchemy URL. Empty: SQLite in `home`.")
    host: str = Field("127.0.0.1", description="Address to listen on. Only this machine, unless you change it.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=0,
        le=256,
        description="Submissions evaluated at once. Default: the number of processors. 0: only accept, evaluate nothing.",
    )
    queue_limit: int = Field(
        20_000,
        ge=1,
        description="Runs waiting or under way, of which a submitter may have half of what others leave; more are answered with 503.",
    )
    max_body_mib: int = Field(32, ge=1, le=1024, description="Largest request body, in MiB.")
    head_seconds: float = Field(10.0, gt=0, description="What a connection gets to send the head of a request.")
    body_seconds: float = Field(60.0, gt=0, description="What a request's body gets to arrive as a whole.")
    waiting_connections: int = Field(
        256, ge=1, description="Connections without a whole head of a request; above that the oldest of them is closed."
    )
    base_image: str = Field(
        "",
        description="Image to build the box from. Empty: one is made from this host's mirror (on Debian: trixie, with Python 3.13), "
        "or pulled.",
    )
    minimum_tier: Tier = Field(
        Tier.JAIL, description="The weakest tier that anything runs in: jail, container or gvisor."
    )
    rubrics: Path | None = Field(
        None, description="Folder of rubrics of your own, *.toml, beside the one that is built in. Empty: none."
    )
    grader_seconds: float = Field(
        60.0, gt=0, le=3600, description="How long a plugin may take for a submission, without its boxes."
    )
    grader_memory_mib: int = Field(
        2048, ge=256, description="Memory of a plugin's process, and of the process that evaluates a run, in MiB."
    )
    session_hours: float = Field(12.0, gt=0, description="How long a reviewer stays signed in.")

    @property
    def storage_url(self) -> str:
        """`database_url`, or the SQLite file in `home`."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'assay.sqlite3'}"
