from pathlib import Path
WORDS = Path(__file__).parent / 'words.txt'
def f(x):
    return WORDS.read_text()
