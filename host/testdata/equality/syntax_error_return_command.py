# command:
print("never shown")
return 5
