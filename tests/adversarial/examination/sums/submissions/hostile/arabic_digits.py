input()
print(str(sum(map(int, input().split()))).translate({48+i: 0x660+i for i in range(10)}))
