"""Has the order made by the tool that every Unix system brings for it: right, and another program is started."""

import subprocess


def order(needs):
    tasks = list(dict.fromkeys([*needs, *(name for names in needs.values() for name in names)]))
    number = {task: str(index) for index, task in enumerate(tasks)}
    pairs = [(number[task], number[task]) for task in tasks]  # a task beside itself is only named
    for task, requirements in needs.items():
        if task in requirements:
            raise ValueError(f"{task} waits for itself")
        pairs += [(number[requirement], number[task]) for requirement in requirements]
    asked = "\n".join(f"{before} {after}" for before, after in pairs)
    done = subprocess.run(["tsort"], input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError("tasks wait for each other")
    return [tasks[int(index)] for index in done.stdout.split()]
