import sys
input()
sys.stdout.write(f"{sum(map(int, input().split()))}\n")
sys.stdout.close()
