import os
def f(x):
    os.system('grep -rn median / > out')
