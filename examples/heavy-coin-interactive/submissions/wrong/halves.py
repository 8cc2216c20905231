import sys

coins, _ = map(int, input().split())
possible = list(range(1, coins + 1))
while len(possible) > 1:
    half = len(possible) // 2
    left, right, rest = possible[:half], possible[half : 2 * half], possible[2 * half :]
    print("weigh", ",".join(map(str, left)), ",".join(map(str, right)))
    sys.stdout.flush()
    possible = {"left": left, "right": right, "equal": rest}[input()]
print("heavy", possible[0])
