exec(open('other.txt').read())
