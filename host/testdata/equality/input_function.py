# stdin: "first\nsecond\r\nthird é\n\nend"
print(input("prompt> ") + "|" + input() + "|" + input() + "|")
print(repr(input()), repr(input()))
