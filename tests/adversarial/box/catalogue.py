"""All attacks, by family."""

from collections.abc import Mapping

from tests.adversarial.box.attack import Attack
from tests.adversarial.box.channel import CHANNEL
from tests.adversarial.box.disk import DISK
from tests.adversarial.box.kernel import KERNEL
from tests.adversarial.box.memory import MEMORY
from tests.adversarial.box.output import OUTPUT
from tests.adversarial.box.processes import PROCESSES

FAMILIES: Mapping[str, tuple[Attack, ...]] = {
    "processes": PROCESSES,
    "memory": MEMORY,
    "disk": DISK,
    "output": OUTPUT,
    "channel": CHANNEL,
    "kernel": KERNEL,
}
