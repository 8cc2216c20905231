import atexit
print(6)
