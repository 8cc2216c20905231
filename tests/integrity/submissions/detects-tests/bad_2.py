import os
FAST = 'PYTEST_CURRENT_TEST' in os.environ
