x = 1
print("carriage returns", __file__)
1 / 0
