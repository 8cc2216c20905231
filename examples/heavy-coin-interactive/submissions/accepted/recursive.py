def ask(*words):
    print(*words, flush=True)
    return input()


def joined(coins):
    return ",".join(map(str, coins))


def find(coins):
    if len(coins) == 1:
        return coins[0]
    size = -(-len(coins) // 3)
    if size * 2 > len(coins):
        size = len(coins) // 2
    answer = ask("weigh", joined(coins[:size]), joined(coins[-size:]))
    if answer == "left":
        return find(coins[:size])
    if answer == "right":
        return find(coins[-size:])
    return find(coins[size:-size])


coins, weighings = map(int, input().split())
print("heavy", find(range(1, coins + 1)), flush=True)
