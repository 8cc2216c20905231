def order(needs):
    seen = set()
    result = []

    def visit(task):
        if task in seen:
            return
        seen.add(task)
        for requirement in needs.get(task, []):
            visit(requirement)
        result.append(task)

    for task in needs:
        visit(task)
    return result
