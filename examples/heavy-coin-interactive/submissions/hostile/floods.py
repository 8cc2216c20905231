import os

while True:
    os.write(1, b"weigh 1,2,3 " + b"4," * 30000)
