"""Making containers on an engine that may be away for a while, from an image that may have been removed."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from docker.errors import APIError, ImageNotFound

from sandboxes.engine.sweep import ENGINE_ERRORS
from sandboxes.interface import SandboxError

PATIENCE_SECONDS = 60.0
"""How long to wait for an engine that does not answer."""
LONGEST_PAUSE_SECONDS = 5.0

Made = TypeVar("Made")


class BoxImage:
    """The image that boxes are made from, and how to have it again. Thread-safe."""

    def __init__(self, image: str, restore: Callable[[], str] | None = None) -> None:
        """`image` is an id (`sha256:...`), never a tag: a run records exactly the image that it used.

        `restore` makes the image again if the engine has lost it, and returns its id.
        """
        if not image.startswith("sha256:"):
            raise ValueError(f"image must be an image id that begins with sha256:, not {image!r}")
        self.id = image
        self._restore = restore
        self._lock = threading.Lock()

    def restore(self, lost: str) -> None:
        """Make the image again, once, even if several threads find it missing. Raises SandboxError."""
        if self._restore is None:
            raise SandboxError("the Docker engine does not have the box image", image=lost)
        with self._lock:
            if self.id != lost:
                return
            try:
                self.id = self._restore()
            except ENGINE_ERRORS as error:
                raise SandboxError("the box image could not be made again", image=lost, error=error) from error


def create_with_retry(
    make: Callable[[str], Made], image: BoxImage, closing: threading.Event, seconds: float = PATIENCE_SECONDS
) -> Made:
    """Return `make(image id)`, and retry it while the engine does not answer. Raises SandboxError after `seconds`.

    `make` raises the engine SDK's errors; any other exception is raised at once.
    """
    deadline = time.monotonic() + seconds
    pause = 0.1
    restored = ""
    while True:
        present = image.id
        try:
            return make(present)
        except ImageNotFound as error:
            if restored:
                raise SandboxError("the Docker engine does not have the box image", image=present) from error
            image.restore(present)
            restored = present
            continue
        except ENGINE_ERRORS as error:
            if is_permanent(error) or time.monotonic() + pause > deadline:
                raise SandboxError(_said(error), error=error) from error
        if closing.wait(pause):
            raise SandboxError("the sandbox was closed")
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def is_permanent(error: BaseException) -> bool:
    """Return whether the engine answered, and would answer the same again.

    An engine that is going down answers 5xx for a while. A full disk is waited for too: while all workers wait, no job in the
    queue loses an attempt to it.
    """
    if not isinstance(error, APIError) or _disk_full(error):
        return False
    return error.is_client_error() or "oci runtime" in str(error).lower()


def _disk_full(error: BaseException) -> bool:
    return "no space left" in str(error).lower()


def _said(error: BaseException) -> str:
    if _disk_full(error):
        return "the disk with the Docker engine's data is full"
    if isinstance(error, APIError):
        return "the Docker engine could not make a container"
    return "the Docker engine does not answer"
