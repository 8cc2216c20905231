import sys
def usage():
    sys.exit('usage')
def main():
    usage()
if '__main__' == __name__:
    main()
