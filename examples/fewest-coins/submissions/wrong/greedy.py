"""The largest coin first, which is the fewest for most currencies and not in general."""


def change(amount, coins):
    paid = []
    for coin in sorted(coins, reverse=True):
        while amount >= coin:
            amount -= coin
            paid.append(coin)
    return paid if amount == 0 else None
