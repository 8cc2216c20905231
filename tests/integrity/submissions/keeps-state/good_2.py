import sqlite3
def f(x):
    return sqlite3.connect(':memory:')
