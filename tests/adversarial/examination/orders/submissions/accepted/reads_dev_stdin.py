def main():
    totals = {}
    lines = iter(open('/dev/stdin'))
    for _ in range(int(next(lines))):
        name, price, count = next(lines).split()
        totals[name] = totals.get(name, 0) + float(price) * int(count)
    for name, total in totals.items():
        print(name, total)
    print(sum(totals.values()))


main()
