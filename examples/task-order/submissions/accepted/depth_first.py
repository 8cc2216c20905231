def order(needs):
    result = []
    state = {}

    def visit(task):
        if state.get(task) == "done":
            return
        if state.get(task) == "open":
            raise ValueError(f"{task} waits for itself")
        state[task] = "open"
        for requirement in needs.get(task, []):
            visit(requirement)
        state[task] = "done"
        result.append(task)

    for task in reversed(needs):
        visit(task)
    return result
