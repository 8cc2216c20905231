import glob, os
for path in glob.glob('*.tmp'):
    os.remove(path)
