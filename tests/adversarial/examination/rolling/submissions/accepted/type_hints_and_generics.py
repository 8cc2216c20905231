from typing import TypeVar

T = TypeVar('T')


def rolling(xs: list[int], width: int) -> list[int]:
    return [max(xs[place : place + width]) for place in range(len(xs) - width + 1)]


def unique(xs: list[T]) -> list[T]:
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
