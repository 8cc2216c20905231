"""All attacks, by family."""

from collections.abc import Mapping

from tests.adversarial.box.accounts_and_observer import OBSERVER, THROUGH_THE_CHANNEL
from tests.adversarial.box.attack import Attack
from tests.adversarial.box.channel import CHANNEL
from tests.adversarial.box.disk import DISK
from tests.adversarial.box.kernel import KERNEL
from tests.adversarial.box.memory import MEMORY
from tests.adversarial.box.output import OUTPUT
from tests.adversarial.box.processes import PROCESSES
from tests.adversarial.box.ways_out import WAYS_OUT

FAMILIES: Mapping[str, tuple[Attack, ...]] = {
    "processes": PROCESSES,
    "memory": MEMORY,
    "disk": DISK,
    "output": OUTPUT,
    "channel": (*CHANNEL, *THROUGH_THE_CHANNEL),
    "kernel": KERNEL,
    "observer": OBSERVER,
    "ways out": WAYS_OUT,
}
