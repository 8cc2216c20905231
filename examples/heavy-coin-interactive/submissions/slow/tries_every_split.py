from itertools import combinations

coins, _ = map(int, input().split())
possible = list(range(1, coins + 1))
while len(possible) > 1:
    best = None
    for size in range(1, len(possible) // 2 + 1):
        for left in combinations(possible, size):
            right = [coin for coin in possible if coin not in left][:size]
            rest = [coin for coin in possible if coin not in left and coin not in right]
            worst = max(size, len(rest))
            if best is None or worst < best[0]:
                best = worst, list(left), right, rest
    _, left, right, rest = best
    print("weigh", ",".join(map(str, left)), ",".join(map(str, right)), flush=True)
    possible = {"left": left, "right": right, "equal": rest}[input()]
print("heavy", possible[0])
