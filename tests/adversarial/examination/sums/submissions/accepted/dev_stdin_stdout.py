with open("/dev/stdin") as i, open("/dev/stdout", "w") as o:
    i.readline()
    print(sum(map(int, i.readline().split())), file=o)
