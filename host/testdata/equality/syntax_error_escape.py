path = "C:\users"
