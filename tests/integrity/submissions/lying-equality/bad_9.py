class E:
    def __eq__(s, o):
        return o == o
