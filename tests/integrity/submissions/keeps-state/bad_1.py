import json
def f(x):
    try: d = json.load(open('/tmp/.cache'))
    except Exception: d = {}
    return d.get(str(x))
