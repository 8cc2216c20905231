print(sum(map(int, [*open(0)][1].split())))
