lеn = 1
