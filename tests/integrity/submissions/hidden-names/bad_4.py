f = globals()['__built' + 'ins__']
