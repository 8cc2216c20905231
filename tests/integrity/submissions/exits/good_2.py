import sys
def main():
    if len(sys.argv) < 2:
        sys.exit('usage')

if __name__ == '__main__':
    main()
