import hashlib
def check(text, digest):
    return hashlib.sha256(text.encode()).hexdigest() == digest
