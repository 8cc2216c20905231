exec(''.join(map(chr, [112, 97, 115, 115])))
