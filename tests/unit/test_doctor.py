"""The doctor's report on other hosts, and which results of its probes count as held."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.diagnosis import probing
from sandboxes.diagnosis.conditions import Condition, EngineFacts, Facts, KernelFacts, State, diagnose, lacking, release
from sandboxes.fake import QUIET, FakeProgram, FakeSandbox
from sandboxes.interface import End, SandboxError, Tier

DEBIAN = Facts(
    kernel=KernelFacts(
        swap_mib=0,
        controllers=frozenset({"cpu", "memory", "pids"}),
        user_notification=True,
        user_namespaces=60_000,
        unprivileged_namespaces=True,
        restricted_namespaces=False,
        landlock=4,
        inotify_instances=128,
    ),
    engine=EngineFacts(
        version="27.1", api=(1, 46), kernel="6.12.3-1", architecture="x86_64", system="Debian GNU/Linux 13 (trixie)",
        cores=8, memory_mib=32_000, storage_driver="overlay2", data_folder="/var/lib/docker", log_driver="json-file",
        live_restore=False, cgroup_version=2, limits_memory=True, limits_swap=True, limits_processes=True,
        security=frozenset({"seccomp", "cgroupns"}), runtimes=frozenset({"runc", "assay-runsc"}), local=True,
        free_mib=50_000, image="sha256:0123456789abcdef",
    ),
)  # fmt: skip


def host(*, here: dict[str, object] | None = None, **engine: object) -> Facts:
    """The Debian host, but for these facts of its engine, and `here` of its kernel."""
    assert DEBIAN.engine
    return replace(
        DEBIAN,
        kernel=replace(DEBIAN.kernel, **here or {}),  # type: ignore[arg-type]
        engine=replace(DEBIAN.engine, **engine),  # type: ignore[arg-type]
    )


def named(facts: Facts, name: str) -> Condition:
    [found] = [each for each in diagnose(facts) if each.name == name]
    return found


def tiers_lost(facts: Facts) -> set[Tier]:
    return {tier for tier in Tier if lacking(diagnose(facts), tier)}


def test_a_host_with_everything_lacks_nothing() -> None:
    assert {each.state for each in diagnose(DEBIAN)} == {State.HELD}


SECURITY = frozenset({"seccomp"})
HOSTS: dict[str, tuple[Facts, str, State, set[Tier]]] = {
    # name: facts, the condition that shows it, its state, the tiers that are lost
    "Ubuntu 24.04 restricts namespaces": (
        host(here={"restricted_namespaces": True}, security=SECURITY | {"apparmor"}),
        "user namespaces", State.MISSING, {Tier.JAIL},
    ),
    "Debian 12 with AppArmor": (host(security=SECURITY | {"apparmor"}), "security module", State.HELD, set()),
    "Fedora with SELinux": (host(security=SECURITY | {"selinux"}), "security module", State.UNKNOWN, set()),
    "old Debian": (host(here={"unprivileged_namespaces": False}), "user namespaces", State.MISSING, {Tier.JAIL}),
    "no user namespaces": (host(here={"user_namespaces": 0}), "user namespaces", State.MISSING, {Tier.JAIL}),
    "Docker Desktop": (
        host(local=False, free_mib=None, system="Docker Desktop"), "local engine", State.MISSING, {Tier.JAIL},
    ),
    "Assay in a container": (host(free_mib=None), "local engine", State.UNKNOWN, set()),
    "rootless": (host(security=SECURITY | {"rootless"}), "identity", State.UNKNOWN, set()),
    "rootless on cgroup v1": (
        host(security=SECURITY | {"rootless"}, limits_memory=False, limits_processes=False, cgroup_version=1),
        "limits", State.MISSING, set(Tier),
    ),
    "userns-remap": (host(security=SECURITY | {"userns"}), "identity", State.UNKNOWN, set()),
    "arm64": (host(architecture="aarch64"), "architecture", State.HELD, set()),
    "riscv": (host(architecture="riscv64"), "architecture", State.MISSING, set(Tier)),
    "swap without accounting": (
        host(here={"swap_mib": 2048}, limits_swap=False), "swap", State.MISSING, set(Tier),
    ),
    "no swap, no accounting": (host(limits_swap=False), "swap", State.HELD, set()),
    "no seccomp": (host(security=frozenset()), "seccomp", State.MISSING, {Tier.JAIL, Tier.CONTAINER}),
    "no gVisor": (host(runtimes=frozenset({"runc"})), "runtime", State.MISSING, {Tier.GVISOR}),
    "full disk": (host(free_mib=100), "disk", State.MISSING, set(Tier)),
    "nearly full disk": (host(free_mib=3000), "disk", State.WEAKER, set()),
    "no image": (host(image=""), "image", State.UNKNOWN, set()),
    "old Docker": (host(api=(1, 40)), "engine", State.MISSING, set(Tier)),
    "vfs": (host(storage_driver="vfs"), "engine", State.WEAKER, set()),
    "no Landlock": (host(here={"landlock": 0}), "Landlock", State.WEAKER, set()),
    "few inotify": (host(here={"inotify_instances": 8}), "inotify", State.WEAKER, set()),
    "no observer": (host(here={"user_notification": False}), "evidence", State.WEAKER, set()),
    "v2 without a peak": (host(kernel="5.15.0"), "accounting", State.WEAKER, set()),
    "v2 without resetting": (host(kernel="6.1.0"), "accounting", State.WEAKER, set()),
    "v1 without cpuacct": (host(cgroup_version=1), "accounting", State.MISSING, set(Tier)),
    "RHEL 8": (host(kernel="4.18.0-553.el8", cgroup_version=1, here={"controllers": frozenset({"cpuacct"})}), "kernel", State.MISSING, {Tier.JAIL}),
    "half an observer": (host(kernel="5.4.0-200-generic"), "evidence", State.WEAKER, set()),
    "small": (host(memory_mib=1000), "memory", State.WEAKER, set()),
    "no engine": (replace(DEBIAN, engine=None), "engine", State.MISSING, set(Tier)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_what_a_host_loses_is_said_with_a_remedy(name: str) -> None:
    facts, condition, state, lost = HOSTS[name]
    found = named(facts, condition)
    assert found.state is state
    assert bool(found.remedy) == (state is not State.HELD)
    assert tiers_lost(facts) == lost


def test_what_costs_only_the_jail_points_to_the_next_tier() -> None:
    for name in ("Ubuntu 24.04 restricts namespaces", "Docker Desktop", "no user namespaces"):
        facts, condition, _, _ = HOSTS[name]
        assert "ASSAY_MINIMUM_TIER=container" in named(facts, condition).remedy


def test_a_kernel_elsewhere_is_not_judged_by_the_one_here() -> None:
    here = {"user_namespaces": 0, "landlock": 0, "swap_mib": 9999}
    names = {each.name for each in diagnose(host(local=False, free_mib=None, limits_swap=False, here=here))}
    assert names.isdisjoint({"user namespaces", "Landlock", "swap"})
    assert named(host(local=False, free_mib=None), "kernel").state is State.UNKNOWN


def of(type: type) -> st.SearchStrategy[object]:
    values = {
        int: st.integers(0, 100_000), bool: st.booleans(), str: st.sampled_from(["", "vfs", "x86_64", "6.1", "4"]),
        int | None: st.none() | st.integers(0, 100_000), tuple[int, ...]: st.just((1, 40)) | st.just((1, 51)),
        frozenset[str]: st.frozensets(st.sampled_from(["seccomp", "apparmor", "selinux", "rootless", "userns", "cpuacct"])),
    }  # fmt: skip
    return st.builds(type, **{field.name: values[field.type] for field in fields(type)})  # type: ignore[index]


@given(st.builds(Facts, kernel=of(KernelFacts), engine=st.none() | of(EngineFacts)))
def test_any_host_gets_an_answer_that_can_be_acted_on(facts: Facts) -> None:
    conditions = diagnose(facts)
    names = [each.name for each in conditions]
    assert len(set(names)) == len(names)
    for each in conditions:
        assert each.says and each.tiers
        assert bool(each.remedy) == (each.state is not State.HELD)


@pytest.mark.parametrize(
    ("text", "version"),
    [("6.18.44-fc-v595", (6, 18)), ("5.4-rc1", (5, 4)), ("6.6.87.2-microsoft-standard-WSL2", (6, 6)), ("", (0, 0))],
)
def test_kernel_releases(text: str, version: tuple[int, int]) -> None:
    assert release(text) == version


@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize("stdout", [b"", b"there is a route\n", b"999\n"])
def test_a_sandbox_that_treats_all_programs_alike_is_not_taken_for_one_that_holds(end: End, stdout: bytes) -> None:
    execution = replace(QUIET, end=end, stdout=stdout, exit_code=1)
    probes = list(probing.attempts(FakeSandbox(lambda command: FakeProgram(execution=execution))))
    assert len(probes) > 8
    assert sum(probe.held for probe in probes) <= 1
    assert not probes[0].held


def test_a_failure_of_ours_is_told_as_what_was_seen() -> None:
    def broken(command: object) -> FakeProgram:
        raise SandboxError("no container could be made", error="disk full")

    [probe] = probing.attempts(FakeSandbox(broken))
    assert not probe.held and probe.says == "no container could be made (error: disk full)"
