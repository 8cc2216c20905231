import traceback
def f(x):
    try:
        return x()
    except Exception:
        traceback.print_exc()
        return None
