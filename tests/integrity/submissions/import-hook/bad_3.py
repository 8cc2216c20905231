from sys import modules as m
m.update(json=None)
