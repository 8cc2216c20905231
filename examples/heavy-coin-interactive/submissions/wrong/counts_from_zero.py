coins, _ = map(int, input().split())
possible = list(range(coins))
while len(possible) > 1:
    third = (len(possible) + 1) // 3
    left, right, rest = possible[:third], possible[third : 2 * third], possible[2 * third :]
    print("weigh", ",".join(map(str, left)), ",".join(map(str, right)), flush=True)
    possible = {"left": left, "right": right, "equal": rest}[input()]
print("heavy", possible[0])
