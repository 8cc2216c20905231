def main():
    totals = {}
    for _ in range(int(input())):
        name, price, count = input().split()
        totals[name] = totals.get(name, 0) + float(price) * int(count)
    for name, total in totals.items():
        print(name, total)
    for cents in range(3000):
        print(cents)


main()
