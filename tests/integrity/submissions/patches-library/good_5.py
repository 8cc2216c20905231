from decimal import getcontext
getcontext().prec = 50
