print(hash("a"), hash(b"bytes"), {"x", "y", "z", "w"}, set("hello world"))
