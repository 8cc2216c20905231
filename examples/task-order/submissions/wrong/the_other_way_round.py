from graphlib import CycleError, TopologicalSorter


def order(needs):
    try:
        return list(TopologicalSorter(needs).static_order())[::-1]
    except CycleError as error:
        raise ValueError from error
