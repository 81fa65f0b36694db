import csv
import io
import xml.etree.ElementTree as ET
import zipfile

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("a.csv", "x,y\n1,2\n")
with zipfile.ZipFile(buffer) as z:
    print([row for row in csv.DictReader(io.TextIOWrapper(z.open("a.csv"), "utf-8"))])
print(ET.fromstring("<a><b c='1'>t</b></a>").find("b").attrib)
