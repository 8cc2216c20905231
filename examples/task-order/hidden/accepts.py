"""Is an order right? There are several right ones, so it is checked, not compared."""


def accepts(args, expected, got):
    (needs,) = args
    tasks = set(needs).union(*needs.values())
    if type(got) is not list or len(got) != len(tasks) or any(type(task) is not str for task in got):
        return False
    position = {task: index for index, task in enumerate(got)}
    return set(position) == tasks and all(
        position[requirement] < position[task] for task, requirements in needs.items() for requirement in requirements
    )
