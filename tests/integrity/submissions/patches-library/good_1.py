import sys, io
sys.setrecursionlimit(10000)
sys.stdin = io.StringIO('1')
input = sys.stdin.readline
def f(x):
    return x
