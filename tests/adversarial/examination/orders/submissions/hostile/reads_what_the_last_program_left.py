import os

for folder in ('/tmp', '/box/work', '/dev/shm'):
    for name in os.listdir(folder):
        try:
            print(open(os.path.join(folder, name)).read())
        except OSError:
            pass
