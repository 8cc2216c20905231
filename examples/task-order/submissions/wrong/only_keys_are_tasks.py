def order(needs):
    done = []
    left = dict(needs)
    while left:
        ready = [task for task in left if all(r in done or r not in needs for r in left[task])]
        if not ready:
            raise ValueError("cycle")
        for task in ready:
            done.append(task)
            del left[task]
    return done
