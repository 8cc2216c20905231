def main():
    totals = {}
    for _ in range(int(input())):
        name, price, count = input().split()
        totals[name] = totals.get(name, 0) + float(price) * int(count)
    for name, total in sorted(totals.items(), reverse=True):
        print(name, total)
    print(sum(totals.values()))


main()
