import glob

for path in sorted(glob.glob('/box/**/*.ans', recursive=True) + glob.glob('/**/1.ans', recursive=True)):
    print(open(path).read())
