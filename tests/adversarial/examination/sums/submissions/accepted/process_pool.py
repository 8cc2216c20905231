from concurrent.futures import ProcessPoolExecutor
def work(x): return int(x)
def main():
    input()
    with ProcessPoolExecutor(2) as e:
        print(sum(e.map(work, input().split())))
if __name__ == "__main__":
    main()
