"""Ownership of containers: their labels, reading the state of one, removing one, and removing those whose maker died."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests.exceptions
from docker import DockerClient
from docker.errors import APIError, DockerException

from sandboxes.interface import SandboxError

OWNER_LABEL = "assay.owner"
CREATOR_LABEL = "assay.creator"
MARK_LABEL = "assay.mark"
OWNER = "assay"
KILLED = 128 + 9
"""The exit code of a container whose process 1 was killed."""
LATE_WORD_SECONDS = 1.0
"""How long after a container's end the engine may learn that it ran out of memory: milliseconds, sometimes a fifth of a second."""

ENGINE_ERRORS = (DockerException, requests.exceptions.RequestException, OSError)
"""All that a call of the Docker SDK may raise when the engine refuses, is gone or does not answer."""


def new_mark() -> str:
    """Return a mark for a new container. With it, a container can be removed even if its maker never got the engine's answer."""
    return secrets.token_hex(10)


def labels(mark: str) -> dict[str, str]:
    """Return the labels of a container that this process makes."""
    return {OWNER_LABEL: OWNER, CREATOR_LABEL: creator(), MARK_LABEL: mark}


def creator() -> str:
    """Return a name of this very process, which shows a sweep whether it still lives: place, boot of the host, pid, start."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{_place()}/{boot}/{os.getpid()}/{_start_time(os.getpid())}"


def is_dead(creator_label: str) -> bool:
    """Return whether the process was of this place and is gone. Processes of other places are left alone."""
    words = creator_label.split("/")
    if len(words) != 5 or "/".join(words[:2]) != _place():
        return False
    alive = words[2] == creator().split("/")[2] and _start_time(int(words[3])) == words[4] != ""
    return not alive


def sweep(client: DockerClient, *, own: bool = False) -> int:
    """Remove containers that an Assay process on this host left behind when it died. Return how many.

    `own`: those of this very process too, which is about to end.
    """
    removed = 0
    try:
        for row in client.api.containers(all=True, filters={"label": f"{OWNER_LABEL}={OWNER}"}):
            label = row["Labels"].get(CREATOR_LABEL, "")
            if is_dead(label) or (own and label == creator()):
                remove(client, row["Id"])
                removed += 1
    except ENGINE_ERRORS as error:
        raise SandboxError("the Docker engine did not answer", error=error) from error
    return removed


def state_of(client: DockerClient, container: str, *, ended_within: float = 0.0) -> Mapping[str, Any]:
    """Return the engine's state of a container: Running, Pid, ExitCode, OOMKilled, ... Raises SandboxError.

    `ended_within`: seconds within which the engine should see it end; its streams close before that. The cause of death may
    arrive later still: then it is among the engine's events, and not in the state.
    """
    try:
        if ended_within:
            # the SDK raises either of them on a time-out
            with suppress(requests.exceptions.Timeout, requests.exceptions.ConnectionError):
                client.api.wait(container, timeout=ended_within)
        state: dict[str, Any] = client.api.inspect_container(container)["State"]
        if ended_within and state["ExitCode"] == KILLED and not state["OOMKilled"]:
            return {**state, "OOMKilled": _ran_out_of_memory(client, container)}
    except ENGINE_ERRORS as error:
        raise SandboxError("the Docker engine lost a container", container=container, error=error) from error
    return state


def _ran_out_of_memory(client: DockerClient, container: str) -> bool:
    until = time.time() + LATE_WORD_SECONDS
    return bool(list(client.api.events(since=1, until=until, filters={"container": container, "event": "oom"})))


def remove(client: DockerClient, container: str) -> None:
    """Kill a container and remove it. One that is gone, or is being removed already, is not an error.

    Raises SandboxError if the engine fails.
    """
    try:
        client.api.remove_container(container, v=True, force=True)
    except ENGINE_ERRORS as error:
        if isinstance(error, APIError) and error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            return
        raise SandboxError(
            "the Docker engine could not remove a container", container=container, error=error
        ) from error


def remove_marked(client: DockerClient, mark: str) -> None:
    """Remove the container with this mark, if there is one. By its id: its name may be another's by then. Raises SandboxError."""
    try:
        rows = client.api.containers(all=True, filters={"label": f"{MARK_LABEL}={mark}"})
    except ENGINE_ERRORS as error:
        raise SandboxError("the Docker engine did not answer", error=error) from error
    for row in rows:
        remove(client, row["Id"])


def _place() -> str:
    """Return the host and the pid namespace that this process's pid belongs to."""
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').stat().st_ino}"


def _start_time(pid: int) -> str:
    """Return the clock ticks from boot to the start of a process; empty if there is no such process, or it is a zombie.

    A zombie stays until its parent reaps it. In a container whose process 1 reaps nothing, that is for ever.
    """
    try:
        # after the parenthesised command, which may contain anything: fields 3 and 22 of proc(5)
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else fields[18]
