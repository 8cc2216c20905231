from collections import deque


def order(needs):
    tasks = set(needs) | {r for rs in needs.values() for r in rs}
    count = {task: len(needs.get(task, [])) for task in tasks}
    ready = deque(task for task in tasks if count[task] == 0)
    done = []
    while ready:
        task = ready.popleft()
        done.append(task)
        for other, requirements in needs.items():
            # a requirement that is listed twice is taken off once
            if task in requirements:
                count[other] -= 1
                if count[other] == 0:
                    ready.append(other)
    if len(done) != len(tasks):
        raise ValueError("cycle")
    return done
