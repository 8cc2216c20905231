class Out:
    def __del__(self):
        print(self.x)
o = Out()
input()
o.x = sum(map(int, input().split()))
