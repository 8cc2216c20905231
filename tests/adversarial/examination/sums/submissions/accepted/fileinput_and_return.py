import fileinput
lines = [l.strip() for l in fileinput.input()]
print(sum(int(x) for x in lines[1].split()), end="")
