from multiprocessing import Pool
def f(xs):
    with Pool(2) as pool:
        return pool.map(abs, xs)
