import os
def f(folder):
    for name in os.listdir(folder):
        os.rename(os.path.join(folder, name), os.path.join(folder, name.lower()))
