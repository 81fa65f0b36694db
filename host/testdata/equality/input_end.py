# stdin: "only line"
print(repr(input("? ")))
input("again? ")
