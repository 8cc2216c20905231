"""Amounts that so many coins can pay, one coin more at a time; finds other answers than the reference does."""


def change(amount, coins):
    came_by = {0: None}
    level = [0]
    while level and amount not in came_by:
        reached = []
        for total in level:
            for coin in sorted(coins, reverse=True):
                if total + coin <= amount and total + coin not in came_by:
                    came_by[total + coin] = coin
                    reached.append(total + coin)
        level = reached
    if amount not in came_by:
        return None
    paid = []
    while amount:
        paid.append(came_by[amount])
        amount -= paid[-1]
    return paid
