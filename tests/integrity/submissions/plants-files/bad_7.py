import shutil
shutil.copy('solution.py', 'reference.py')
