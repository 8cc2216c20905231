def change(amount, coins):
    fewest = [[]] + [None] * amount
    for total in range(1, amount + 1):
        for coin in coins:
            if coin <= total and fewest[total - coin] is not None:
                paid = fewest[total - coin]
                if fewest[total] is None or len(paid) + 1 < len(fewest[total]):
                    fewest[total] = [*paid, coin]
    return fewest[amount]
