"""When an engine that failed is asked again."""

import pytest
import requests
from docker.errors import APIError, DockerException

from sandboxes.engine.retry import BoxImage, is_permanent
from sandboxes.interface import SandboxError


def answered(status: int, text: str) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("", response=response, explanation=text)


@pytest.mark.parametrize(
    ("error", "no_use"),
    [
        (answered(400, "invalid CapAdd"), True),
        (answered(409, "name in use"), True),
        (answered(500, "OCI runtime create failed: unknown"), True),
        (answered(500, "write /var/lib/docker/x: no space left on device"), False),
        (answered(500, "OCI runtime create failed: mkdir x: no space left on device"), False),
        (answered(500, "transport is closing"), False),
        (answered(503, "shutting down"), False),
        (requests.exceptions.ConnectionError(), False),
        (ConnectionResetError(), False),
        (DockerException("Error while fetching server API version"), False),
    ],
    ids=str,
)
def test_an_answer_that_would_be_the_same_again_is_not_waited_for(error: Exception, no_use: bool) -> None:
    assert is_permanent(error) is no_use


def test_an_image_that_cannot_be_made_again_is_our_failure_and_is_tried_again() -> None:
    answers = iter([requests.exceptions.ConnectionError(), None])

    def restore() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "sha256:new"

    image = BoxImage("sha256:lost", restore)
    with pytest.raises(SandboxError, match="could not be made again"):
        image.restore("sha256:lost")
    image.restore("sha256:lost")
    assert image.id == "sha256:new"
    image.restore("sha256:lost")  # another thread that found it missing then
