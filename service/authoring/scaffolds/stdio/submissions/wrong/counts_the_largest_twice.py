# The likely mistake: right wherever the largest number stands there only once.
import sys

numbers = sorted(map(int, sys.stdin.read().split()))
print(numbers[-2] if len(numbers) > 1 else "none")
