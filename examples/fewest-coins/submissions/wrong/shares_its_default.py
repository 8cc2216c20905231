"""Remembers answers between calls, also those for other coins."""


def change(amount, coins, known={0: []}):
    for total in range(1, amount + 1):
        ways = [known[total - coin] + [coin] for coin in coins if total - coin in known]
        if ways and total not in known:
            known[total] = min(ways, key=len)
    return known.get(amount)
