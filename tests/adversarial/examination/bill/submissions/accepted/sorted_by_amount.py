def split(total, shares):
    whole = sum(shares.values())
    return {name: total * share / whole for name, share in shares.items()}


def settle(balances):
    owing = [[name, -amount] for name, amount in balances.items() if amount < 0]
    owed = [[name, amount] for name, amount in balances.items() if amount > 0]
    owing.sort(key=lambda each: each[1])
    owed.sort(key=lambda each: each[1])
    payments = []
    while owing and owed:
        amount = min(owing[-1][1], owed[-1][1])
        payments.append((owing[-1][0], owed[-1][0], amount))
        owing[-1][1] -= amount
        owed[-1][1] -= amount
        owing = [each for each in owing if each[1]]
        owed = [each for each in owed if each[1]]
    return payments
