# coding: no-such-codec
# differs: the compiler says other words of text that it cannot read
print(1)
