import os
os.environ['OMP_NUM_THREADS'] = '1'
os.environ.setdefault('TZ', 'UTC')
