import sys
sys.stdin.reconfigure(encoding="utf-8-sig")
sys.stdout.reconfigure(newline="\r\n")
input()
print(sum(map(int, input().split())))
