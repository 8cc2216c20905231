def main():
    print(sum(map(int, open('/dev/fd/0'))), file=open('/proc/self/fd/1', 'w'))
main()
