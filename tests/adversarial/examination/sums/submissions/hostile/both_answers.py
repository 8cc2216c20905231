print(6, end="\r")
print(5)
