__builtins__['len'] = lambda x: 0
