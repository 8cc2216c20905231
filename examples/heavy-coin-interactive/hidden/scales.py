"""The interactor: scales that answer so that as many coins as possible may still be the heavy one.

A case is a line `n`, or `n heavy` where the heavy coin is settled from the start.
"""

import sys
from pathlib import Path


def reject(why):
    print(why, file=sys.stderr)
    sys.exit(1)


def weighings(coins):
    """How many are enough: each tells three thirds apart."""
    needed, told_apart = 0, 1
    while told_apart < coins:
        needed, told_apart = needed + 1, told_apart * 3
    return needed


def side(text, coins):
    """The coins on one side. Whatever else it is, it is the program's mistake, never ours."""
    names = text.split(",")
    if not all(name.isascii() and name.isdigit() and len(name) < 6 for name in names):
        reject(f"no list of coins: {text[:60]!r}")
    found = [int(name) for name in names]
    if not all(1 <= coin <= coins for coin in found):
        reject(f"there are coins 1 to {coins}, not {text[:60]!r}")
    return found


coins, *settled = map(int, Path(sys.argv[1]).read_text().split())
possible = set(settled or range(1, coins + 1))
left_to_weigh = weighings(coins)
print(coins, left_to_weigh)
while True:
    words = input().split()
    if len(words) == 2 and words[0] == "heavy":
        [named] = side(words[1], coins)[:1]
        if possible != {named}:
            reject(f"it named coin {named}, but coin {min(possible - {named})} may be the heavy one")
        sys.exit(0)
    if len(words) != 3 or words[0] != "weigh":
        reject(f"neither `weigh LEFT RIGHT` nor `heavy COIN`: {' '.join(words)[:60]!r}")
    if left_to_weigh == 0:
        reject("it weighed once more than it may")
    left_to_weigh -= 1
    left, right = side(words[1], coins), side(words[2], coins)
    if len(left) != len(right) or len({*left, *right}) != len(left) + len(right):
        reject("it put unequal numbers of coins, or one coin twice, on the scales")
    outcomes = {"equal": possible - {*left, *right}, "left": possible & {*left}, "right": possible & {*right}}
    answer = max(outcomes, key=lambda word: len(outcomes[word]))
    possible = outcomes[answer]
    print(answer)
