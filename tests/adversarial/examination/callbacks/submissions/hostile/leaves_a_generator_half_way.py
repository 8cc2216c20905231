def each(xs, f):
    for x in xs: f(x)
async def each_async(xs, f):
    for x in xs: await f(x)
def ordered(items): return sorted(items)
def drain(source, out):
    for _ in range(3): out.append(next(source))
    source.close()
def hooked(hook):
    hook("start"); hook("stop")
