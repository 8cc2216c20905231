import inspect
def log(text):
    print(inspect.stack()[1][3], text)
