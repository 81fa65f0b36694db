e = ValueError("first\nsecond")
e.add_note("a note")
e.add_note("two\nlines")
raise e
