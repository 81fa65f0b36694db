été = 1
print(“quoted”)
