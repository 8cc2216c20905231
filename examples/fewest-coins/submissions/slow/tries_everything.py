def change(amount, coins):
    if amount == 0:
        return []
    ways = [change(amount - coin, coins) for coin in coins if coin <= amount]
    ways = [[coin, *rest] for coin, rest in zip([c for c in coins if c <= amount], ways) if rest is not None]
    return min(ways, key=len, default=None)
