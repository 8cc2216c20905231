"""Does the box keep its promises on other kernels? Each is started in an emulated machine, which runs the tests of the box.

The machine has this host's Debian release with Docker, this checkout with its virtual environment, and the box image. Kernel and
modules are those of the requested Debian release. It does not have a network. It runs kernels_guest.py.

Needs root, Debian or Ubuntu on x86-64, 20 GB of disk; some minutes for each kernel, because the CPU is emulated in software.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels_guest import RESULT
from rich.console import Console
from rich.table import Table

from sandboxes.engine import images
from sandboxes.engine.connection import connect
from sandboxes.interface import Tier
from service.host import preparation

CONSOLE = Console(highlight=False)
ROOT = Path(__file__).parents[1]
HOST_RELEASE = platform.freedesktop_os_release()["VERSION_CODENAME"]
PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs"}
KERNEL = "linux-image-cloud-amd64"
SYSTEM = ("systemd-sysv", "udev", "dbus", "docker.io", "apparmor", "iptables", "iproute2", "procps", "kmod", "python3")
DISK_GB = 12
LAST_WORDS = 30  # lines that are shown of a machine that ends before its tests do
UNIT = """[Unit]
After=docker.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'exec {python} {program} > /dev/ttyS0 2>&1'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel as its release's package leaves it in a root file system."""

    name: str
    folder: Path


def main() -> None:
    options = _options()
    preparation.install_programs(PROGRAMS, CONSOLE.print)
    with tempfile.TemporaryDirectory(prefix="assay-kernels-", dir=options.folder) as name:
        folder = Path(name)
        system = _system(folder / "system", {"tests": options.tests, "tiers": options.tier})
        results = {}
        for release in options.release:
            kernel = _kernel(folder / release, release)
            results[kernel.name] = _tried(kernel, system, folder / "disk", options)
    CONSOLE.print(_table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    sys.exit(not all(result.get("passed") and not result["failed"] for result in results.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "release", nargs="*", default=["bullseye", "bookworm", "trixie"],
        help="Debian releases whose kernels are tried (default: bullseye, Linux 5.10; bookworm, 6.1; trixie, 6.12)",
    )  # fmt: skip
    parser.add_argument("--cgroup", type=int, choices=(1, 2), default=2, help="version of cgroups (default: 2)")
    parser.add_argument(
        "--tier", nargs="+", choices=[Tier.JAIL.value, Tier.CONTAINER.value], default=["jail", "container"],
        help="the tiers that are tried (default: jail and container)",
    )  # fmt: skip
    parser.add_argument(
        "--tests", nargs="+", default=["tests/conformance"], help="what runs (default: tests/conformance)"
    )
    parser.add_argument(
        "--accelerator", default="tcg,thread=multi", help="QEMU's; kvm is faster where this host has it"
    )
    parser.add_argument("--minutes", type=float, default=60, help="for each kernel (default: 60)")
    parser.add_argument(
        "--folder", type=Path, help="where the machines' disks are made (default: that of temporary files)"
    )
    parser.add_argument("--json", type=Path, help="file for the result")
    return parser.parse_args()


# --- the machine ----------------------------------------------------------------------------------------------------------


def _system(folder: Path, wanted: dict[str, Sequence[str]]) -> Path:
    """All but the kernel: a root file system that runs the tests when it starts, and then switches itself off."""
    CONSOLE.print("making the machine's system")
    _debootstrap(folder, HOST_RELEASE, SYSTEM)
    ours = {ROOT, Path(sys.prefix), Path(sys.base_prefix)} - {Path("/usr")}  # that of the release is in it already
    for place in sorted(ours):
        target = folder / place.relative_to("/")
        if not target.exists():  # a virtual environment in the checkout is there with it
            shutil.copytree(place, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    images.ensure(connect(), CONSOLE.print)
    subprocess.run(["docker", "save", "--output", folder / "box.tar", images.tag()], check=True)
    (folder / "wanted.json").write_text(json.dumps({**wanted, "root": str(ROOT)}))
    units = folder / "etc/systemd/system"
    (units / "assay-tests.service").write_text(
        UNIT.format(python=sys.executable, program=Path(__file__).with_name("kernels_guest.py"))
    )
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/assay-tests.service").symlink_to("../assay-tests.service")
    (units / "serial-getty@ttyS0.service").symlink_to("/dev/null")  # no logins
    (folder / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    return folder


def _kernel(folder: Path, release: str) -> Kernel:
    CONSOLE.print(f"fetching the kernel of {release}")
    _debootstrap(folder, release, [KERNEL])
    [modules] = (folder / "lib/modules").iterdir()
    return Kernel(name=modules.name, folder=folder)


def _debootstrap(folder: Path, release: str, packages: Sequence[str]) -> None:
    # Old releases have lost their updates; the release itself stays.
    mirrors = [line for line in images.mirrors(HOST_RELEASE, release) if line.split()[2] == release]
    arguments = ["--variant=apt", f"--include={','.join(packages)}", release, folder, *mirrors]
    # In a mount namespace of its own: what it mounts in the folder must not be there when we are interrupted and remove it.
    command = ["unshare", "--mount", "mmdebstrap", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mmdebstrap failed for {release}:\n{done.stderr[-2000:]}")


# --- one kernel -----------------------------------------------------------------------------------------------------------


def _tried(kernel: Kernel, system: Path, disk: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the guest found: see kernels_guest.py."""
    modules = system / "usr/lib/modules"
    shutil.rmtree(modules, ignore_errors=True)
    shutil.copytree(kernel.folder / "lib/modules", modules, symlinks=True)
    disk.unlink(missing_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-d", system, disk, f"{DISK_GB}G"], check=True, stdout=subprocess.DEVNULL)
    words = [
        "root=/dev/vda rw console=ttyS0 quiet loglevel=1",
        f"systemd.unified_cgroup_hierarchy={options.cgroup - 1}",
    ]
    command = [
        "qemu-system-x86_64", "-accel", options.accelerator, "-cpu", "max", "-smp", "2", "-m", "4G",
        "-nographic", "-no-reboot", "-net", "none", "-drive", f"file={disk},if=virtio,format=raw",
        "-kernel", kernel.folder / f"boot/vmlinuz-{kernel.name}",
        "-initrd", kernel.folder / f"boot/initrd.img-{kernel.name}", "-append", " ".join(words),
    ]  # fmt: skip
    result: dict[str, Any] = {}
    last_words: deque[str] = deque(maxlen=LAST_WORDS)
    with CONSOLE.status(f"{kernel.name} starts") as status:
        for line in _lines(["timeout", str(options.minutes * 60), *command]):
            last_words.append(line)
            if line.startswith(RESULT):
                result = json.loads(line.removeprefix(RESULT))
            elif "::test_" in line:
                status.update(f"{kernel.name}: {line[:100]}")
            elif line.startswith("E   "):
                CONSOLE.print(line, markup=False)
    if not result:
        CONSOLE.print(*last_words, sep="\n", markup=False)
        result = {"failed": ["the machine ended before its tests did"]}
    CONSOLE.print(f"{kernel.name}: {result.get('passed', 0)} passed, {len(result['failed'])} failed")
    return result


def _lines(command: Sequence[object]) -> Iterator[str]:
    with subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as machine:  # fmt: skip
        assert machine.stdout is not None
        for line in machine.stdout:
            yield line.rstrip()


def _table(results: dict[str, dict[str, Any]]) -> Table:
    table = Table("kernel", "cgroup", "tiers that hold", "passed", "failed")
    for name, result in results.items():
        table.add_row(
            name, str(result.get("cgroup", "")), ", ".join(result.get("tiers", [])), str(result.get("passed", 0)),
            "\n".join(result["failed"]) or "nothing",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
