from pathlib import Path
def f(x):
    return (Path(__file__).parent.parent / 'data' / 'words.txt').read_text()
