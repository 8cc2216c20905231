def each(xs, f):
    for x in xs: f(x)
async def each_async(xs, f):
    for x in xs: await f(x)
def ordered(items): return sorted(items)
def drain(source, out):
    try:
        next(source); source.send(5)
    except AssertionError: pass
    out += [0, 1, 2]
def hooked(hook):
    hook("start"); hook("stop")
