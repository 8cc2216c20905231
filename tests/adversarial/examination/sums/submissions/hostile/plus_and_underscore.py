input()
print(f"{sum(map(int, input().split()))}".replace("", "_")[1:-1] + "_0")
