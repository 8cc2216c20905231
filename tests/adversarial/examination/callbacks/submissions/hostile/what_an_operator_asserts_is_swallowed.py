def each(xs, f):
    for x in xs: f(x)
async def each_async(xs, f):
    for x in xs: await f(x)
def ordered(items):
    try: items[0] < 3
    except AssertionError: pass
    return items[::-1]
def drain(source, out):
    for x in source: out.append(x)
def hooked(hook):
    hook("start"); hook("stop")
