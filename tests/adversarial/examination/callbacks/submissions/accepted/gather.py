import asyncio
def each(xs, f):
    list(map(f, xs))
async def each_async(xs, f):
    await asyncio.gather(*(f(x) for x in xs))
def ordered(items):
    items = list(items)
    for i in range(len(items)):
        for j in range(i):
            if items[i] < items[j]: items[i], items[j] = items[j], items[i]
    return items
def drain(source, out):
    out.extend(source)
def hooked(hook):
    try: hook("start")
    finally: hook("stop")
