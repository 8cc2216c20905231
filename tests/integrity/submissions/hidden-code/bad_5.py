eval('1 nruter'[::-1])
