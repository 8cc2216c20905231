from pathlib import Path
TEXTS = {p.stem: p.read_text() for p in Path(__file__).parent.glob('*.txt')}
