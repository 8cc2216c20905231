from collections import defaultdict, deque


def order(needs):
    missing = {task: set(requirements) for task, requirements in needs.items()}
    waiting = defaultdict(list)
    for task, requirements in list(missing.items()):
        for requirement in requirements:
            missing.setdefault(requirement, set())
            waiting[requirement].append(task)
    ready = deque(sorted(task for task, requirements in missing.items() if not requirements))
    done = []
    while ready:
        task = ready.popleft()
        done.append(task)
        for follower in waiting[task]:
            missing[follower].discard(task)
            if not missing[follower]:
                ready.append(follower)
    if len(done) < len(missing):
        raise ValueError("there is a circle")
    return done
