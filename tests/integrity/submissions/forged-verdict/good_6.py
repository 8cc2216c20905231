def f(marks):
    for name, mark in marks:
        print(name, 'passed' if mark > 50 else 'failed')
