"""Makes the box image: a base, the packages that programs and analyzers need, and our programs for it.

The build itself has no network. Its parts are fetched before it, by the clients that this host already uses:
the base by mmdebstrap from the host's own mirror (or by the engine, if an operator names a base image), the
wheels by pip. An image is tagged with a hash of everything that goes into it, so a change makes a new image and a second call costs
nothing. Runs refer to it by its id, never by the tag.
"""

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from docker import DockerClient
from docker.errors import BuildError, DockerException, ImageNotFound

from sandboxes.engine.connection import Report
from sandboxes.interface import SandboxError

REPOSITORY = "assay/box"
BASE_REPOSITORY = "assay/base"
DEBIAN_RELEASE = "trixie"
"""Used on every Debian host, whatever its own release, so that all have the same Python in the box: 3.13."""
FALLBACK_BASE = "python:3.13"
"""Pulled if no base image is named and mmdebstrap cannot make one (a host that is not Debian or Ubuntu)."""
BASE_PACKAGES = ("gcc", "libc6-dev", "python3")
"""Packages of a base that is made here, beside the minimum: the interpreter, and the compiler for our part in C."""
_PACKAGE = Path(__file__).parents[1]


def _folder() -> Path:
    """Return the folder of the Dockerfile and the lock: in this package if it is a wheel, else docker/ of the checkout."""
    packaged = _PACKAGE / "image"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "docker"


def _inputs() -> dict[str, bytes]:
    inside = (path for path in (_PACKAGE / "inside").iterdir() if path.suffix in (".py", ".c"))
    return {
        "Dockerfile": (_folder() / "Dockerfile").read_bytes(),
        "requirements.lock": (_folder() / "requirements.lock").read_bytes(),
        **{f"inside/{file.name}": file.read_bytes() for file in inside},
    }


def tag(base: str = "") -> str:
    """Return the tag of the image that this version of Assay needs."""
    digest = hashlib.sha256((base or DEBIAN_RELEASE).encode())
    for name, content in sorted(_inputs().items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return f"{REPOSITORY}:{digest.hexdigest()[:16]}"


def find(client: DockerClient, base: str = "") -> str | None:
    """Return the id of the image that this version needs, or None if it was not built yet."""
    try:
        return str(client.images.get(tag(base)).id)
    except ImageNotFound:
        return None
    except DockerException as error:
        raise SandboxError("the Docker engine did not say which images it has", error=error) from error


def ensure(client: DockerClient, report: Report, *, base: str = "") -> str:
    """Return the id of the box image, and build it first if it is missing. `base`: a base image to use instead of making one.

    Raises SandboxError, whose message names the failure and what to do.
    """
    existing = find(client, base)
    if existing is not None:
        return existing
    base_id = _pull(client, base, report) if base else _default_base(client, report)
    with tempfile.TemporaryDirectory(prefix="assay-image-") as folder:
        report("fetching the Python packages of the box image")
        _download_wheels(Path(folder) / "wheels", _python_version(client, base_id))
        report("building the box image (no network inside)")
        return _build(client, Path(folder), base_id, tag(base))


def _default_base(client: DockerClient, report: Report) -> str:
    if shutil.which("mmdebstrap") is None:
        return _pull(client, FALLBACK_BASE, report)
    release = platform.freedesktop_os_release()
    codename = release.get("VERSION_CODENAME", "")
    if not codename:
        return _pull(client, FALLBACK_BASE, report)
    if release["ID"] == "debian":
        try:
            return _debootstrap(client, report, codename, DEBIAN_RELEASE)
        except SandboxError as error:
            if codename == DEBIAN_RELEASE:
                raise
            report(f"this host's mirror gives no {DEBIAN_RELEASE}, so the box gets the Python of {codename}: {error}")
    return _debootstrap(client, report, codename, codename)


def _debootstrap(client: DockerClient, report: Report, codename: str, release: str) -> str:
    """Return the id of a base image of this release. If it is missing, make it from the mirror of this host of `codename`."""
    name = f"{BASE_REPOSITORY}:{release}-{'-'.join(BASE_PACKAGES)}"
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        pass
    report(f"making a base image of {release} from this host's mirror (about half a minute)")
    with tempfile.TemporaryDirectory(prefix="assay-base-") as folder:
        archive = Path(folder) / "base.tar"
        options = ["--variant=minbase", f"--include={','.join(BASE_PACKAGES)}"]
        _check(
            ["mmdebstrap", *options, release, str(archive), *mirrors(codename, release)],
            "mmdebstrap could not make a base image; check this host's apt sources, or name a base image in ASSAY_BASE_IMAGE",
        )
        try:
            client.api.import_image_from_file(str(archive), repository=BASE_REPOSITORY, tag=name.partition(":")[2])
            return str(client.images.get(name).id)
        except DockerException as error:
            raise SandboxError("the Docker engine could not import the base image", error=error) from error


def mirrors(codename: str, release: str) -> list[str]:
    """Return this host's own mirrors as lines of sources.list for another release; none if apt does not list them."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = {codename + suffix: release + suffix for suffix in ("", "-updates", "-security")}
    rows = {tuple(line.split()) for line in listing.stdout.splitlines()}
    return [
        f"deb {uri} {wanted[suite]} {component}"
        for uri, suite, component in sorted(row for row in rows if len(row) == 3)
        if suite in wanted and component == "main"
    ]


def _pull(client: DockerClient, name: str, report: Report) -> str:
    try:
        return str(client.images.get(name).id)
    except ImageNotFound:
        pass
    report(f"pulling {name}")
    try:
        return str(client.images.pull(name).id)
    except DockerException as error:
        raise SandboxError(
            f"could not pull the base image {name}; on Debian or Ubuntu install mmdebstrap and none is needed, "
            "elsewhere set ASSAY_BASE_IMAGE to an image with Python 3.11 or newer that this engine can reach",
            error=error,
        ) from error


def _python_version(client: DockerClient, base: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = client.containers.run(base, ["python3", "-c", code], network_mode="none", remove=True)
    except DockerException as error:
        raise SandboxError(f"the base image {base} has no python3", error=error) from error
    version = str(answer.decode().strip())
    if tuple(map(int, version.split("."))) < (3, 11):
        raise SandboxError(f"the base image has Python {version}, but 3.11 or newer is needed; set ASSAY_BASE_IMAGE")
    return version


def _download_wheels(folder: Path, version: str) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--only-binary=:all:", "--python-version", version, "--dest", str(folder)]
    lock = str(_folder() / "requirements.lock")
    problem = "pip could not fetch the packages of the box image; check that `pip download` works on this host"
    _check([*pip, *options, "--require-hashes", "-r", lock], problem)
    # The installer itself: runs in the build from its wheel and is not in the image afterwards.
    _check([*pip, *options, "pip"], problem)


def _check(argv: list[str], problem: str) -> None:
    """Run one of the host's own tools. Raises SandboxError with its last words."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SandboxError(f"{problem} ({error})") from error
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise SandboxError(f"{problem}:\n{last_words}", command=" ".join(argv[:3]))


def _context(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from _inputs().items()
    for wheel in sorted((folder / "wheels").iterdir()):
        yield f"wheels/{wheel.name}", wheel.read_bytes()


def _build(client: DockerClient, folder: Path, base: str, name: str) -> str:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in _context(folder):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    try:
        image, _ = client.images.build(
            fileobj=archive,
            custom_context=True,
            network_mode="none",
            buildargs={"BASE": base},
            tag=name,
            rm=True,
            forcerm=True,
        )
    except BuildError as error:
        lines = [str(row.get("stream") or row.get("error") or "").strip() for row in error.build_log]
        raise SandboxError(
            "the box image could not be built:\n" + "\n".join(line for line in lines[-8:] if line)
        ) from error
    except DockerException as error:
        raise SandboxError("the Docker engine could not build the box image", error=error) from error
    return str(image.id)
