import sys
input()
print(sum(map(int, input().split())))
sys.exit("done")
