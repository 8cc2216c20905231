рrint = 2
