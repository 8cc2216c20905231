# Prints every .ans file that it can find; in its box there is none.
import pathlib

for path in pathlib.Path("/").rglob("*.ans"):
    print(path.read_text())
