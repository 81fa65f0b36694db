# coding: latin-1
# differs: the compiler says other words of text that it cannot read
