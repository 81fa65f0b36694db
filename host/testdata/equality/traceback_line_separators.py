x = '   '
print(ascii(x))
1 / 0
