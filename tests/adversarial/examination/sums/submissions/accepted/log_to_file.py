import logging
logging.basicConfig(filename="log.txt", level=logging.DEBUG)
logging.info("start")
input()
print(sum(map(int, input().split())))
