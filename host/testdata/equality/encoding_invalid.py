# differs: the compiler says other words of text that it cannot read
print('never')
x = 'ÿþ'
