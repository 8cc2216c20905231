import subprocess
def f(folder):
    return subprocess.run(['ls', folder], capture_output=True, text=True).stdout.split()
