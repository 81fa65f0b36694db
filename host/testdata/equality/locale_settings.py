import locale

print(locale.getlocale(), locale.getpreferredencoding(), locale.getencoding(), locale.setlocale(locale.LC_CTYPE))
print(f"{1234567.891:n}", locale.localeconv()["decimal_point"], locale.strxfrm("a"))
try:
    locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
except locale.Error as e:
    print(e)
