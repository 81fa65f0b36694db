x = 1
print("never shown"
y = 2
