import os
os.environ.update(PYTHONPATH='/tmp')
