import cProfile
def f(x):
    return x
if __name__ == '__main__':
    cProfile.run('f(1)')
