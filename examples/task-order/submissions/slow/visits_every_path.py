"""Measures how deep each task lies by walking every path to it: 2 ** n of them in a ladder."""


def depth(task, needs, path):
    if task in path:
        raise ValueError("circle")
    return max((depth(r, needs, path | {task}) + 1 for r in needs.get(task, [])), default=0)


def order(needs):
    tasks = set(needs) | {r for requirements in needs.values() for r in requirements}
    return sorted(tasks, key=lambda task: depth(task, needs, frozenset()))
