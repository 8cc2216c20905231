def root(n):
    low, high = 0.0, float(n)
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if middle * middle <= n else (low, middle)
    return low
def factors(n):
    return list(filter(lambda f: not n % f, range(2, n + 1)))
def count(text):
    found = {}
    for letter in text:
        found.setdefault(letter, 0)
        found[letter] += 1
    return found
def split(text):
    parts = [""]
    for letter in text:
        if letter == " ":
            parts.append("")
        else:
            parts[-1] += letter
    return parts
def describe(n):
    match n:
        case 4:
            return "four"
