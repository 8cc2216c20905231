x = __builtins__['ev' 'al']
