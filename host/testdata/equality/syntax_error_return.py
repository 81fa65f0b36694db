print("never shown")
    # a comment
return 5
