f = eval("__import__('os')._exit")
