import sys

data = sys.stdin.read().split()
totals = {}
for place in range(int(data[0])):
    name, price, count = data[1 + 3 * place : 4 + 3 * place]
    totals[name] = totals.get(name, 0) + float(price) * int(count)
sys.stdout.write(''.join(f'{name} {total}\n' for name, total in totals.items()))
sys.stdout.write(f'{sum(totals.values())}\n')
