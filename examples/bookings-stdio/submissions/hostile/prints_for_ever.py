while True:
    print("3 580")
