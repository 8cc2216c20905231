import glob, os
def f(folder):
    return glob.glob(os.path.join(folder, '*.csv'))
