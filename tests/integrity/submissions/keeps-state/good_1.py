import tempfile
def f(x):
    with tempfile.TemporaryFile() as file:
        file.write(x)
