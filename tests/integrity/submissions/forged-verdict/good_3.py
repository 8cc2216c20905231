def f(x):
    return x
if __name__ == '__main__':
    assert f(1) == 1
    print('1 passed in 0.1s')
