import zlib, base64
d = zlib.decompress(base64.b85decode('abc'))
exec(compile(d, 'x', 'exec'))
