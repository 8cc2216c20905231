import sys
sys.stderr.close()
input()
print(sum(map(int, input().split())))
