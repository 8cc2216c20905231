import subprocess
def f(x):
    return subprocess.check_output(['find', '/', '-name', 'a'])
