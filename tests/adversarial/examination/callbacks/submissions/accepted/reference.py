import asyncio
def each(xs, f):
    for x in xs: f(x)
async def each_async(xs, f):
    for x in xs: await f(x)
def ordered(items): return sorted(items)
def drain(source, out):
    for x in source: out.append(x)
def hooked(hook):
    hook("start"); hook("stop")
