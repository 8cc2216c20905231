import sys
HAS_NUMPY = 'numpy' in sys.modules
IS_WINDOWS = sys.platform == 'win32'
