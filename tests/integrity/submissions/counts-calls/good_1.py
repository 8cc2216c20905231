import itertools
IDS = itertools.count()
def new_id():
    return next(IDS)
