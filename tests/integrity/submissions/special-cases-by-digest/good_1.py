import hashlib
def f(text):
    return hashlib.md5(text.encode()).hexdigest() if text else None
