import base64
def f(text):
    return base64.b64decode(text).decode()
