def accepts(args, expected, got):
    balances = dict(args[0])
    if len(got) > max(0, len(balances) - 1):
        return False
    for giver, taker, amount in got:
        if amount <= 0:
            return False
        balances[giver] += amount
        balances[taker] -= amount
    return not any(balances.values())
