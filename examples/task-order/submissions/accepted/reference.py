from graphlib import CycleError, TopologicalSorter


def order(needs):
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ValueError("tasks wait for each other") from error
