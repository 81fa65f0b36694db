package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packagesEnv names a data directory, which keeps what is fetched: with it the tests of
// the catalogue run, which need pip and its index.
const packagesEnv = "SANDBOXD_PACKAGES_TESTS"

// used says how each package of the catalogue is used by a program, what that prints,
// and which profile is enough.
var used = []struct{ name, profile, program, want string }{
	{"attrs", "strict", "import attrs\nprint(attrs.make_class('P', ['x'])(1))", "P(x=1)"},
	{"certifi", "strict", "import certifi\nprint('BEGIN CERTIFICATE' in certifi.contents())", "True"},
	{"charset-normalizer", "relaxed", "import charset_normalizer\nprint(charset_normalizer.from_bytes('größer als übel'.encode('utf-8')).best().encoding)", "utf_8"},
	{"cobble", "strict", "import cobble\nprint(callable(cobble.data))", "True"},
	{"defusedxml", "strict", "from defusedxml.ElementTree import fromstring\nprint(fromstring('<a>1</a>').text)", "1"},
	{"et-xmlfile", "strict", "import io\nfrom et_xmlfile import xmlfile\nout = io.BytesIO()\nwith xmlfile(out) as f:\n    with f.element('a'):\n        f.write('b')\nprint(out.getvalue().decode())", "<a>b</a>"},
	{"idna", "strict", "import idna\nprint(idna.encode('bücher.example').decode())", "xn--bcher-kva.example"},
	{"jinja2", "strict", "import jinja2\nprint(jinja2.Template('{% for x in xs %}{{ x }};{% endfor %}').render(xs=[1, 2]))", "1;2;"},
	{"mammoth", "relaxed", "import mammoth\nprint(callable(mammoth.convert_to_html))", "True"},
	{"markdown", "strict", "import markdown\nprint(markdown.markdown('# A *b*'))", "<h1>A <em>b</em></h1>"},
	{"markdown-it-py", "strict", "from markdown_it import MarkdownIt\nprint(MarkdownIt().render('*a*'))", "<p><em>a</em></p>"},
	{"markupsafe", "strict", "import markupsafe\nprint(markupsafe.escape('<'))", "&lt;"},
	{"mdurl", "strict", "import mdurl\nprint(mdurl.encode('a b'))", "a%20b"},
	{"networkx", "relaxed", "import networkx\nprint(networkx.shortest_path(networkx.path_graph(4), 0, 3))", "[0, 1, 2, 3]"},
	{"openpyxl", "relaxed", "import openpyxl\nw = openpyxl.Workbook()\nw.active['A1'] = 42\nw.save('x.xlsx')\nprint(openpyxl.load_workbook('x.xlsx').active['A1'].value)", "42"},
	{"pygments", "relaxed", "import pygments\nfrom pygments.lexers import PythonLexer\nfrom pygments.formatters import NullFormatter\nprint(pygments.highlight('x = 1', PythonLexer(), NullFormatter()))", "x = 1"},
	{"pypdf", "relaxed", "import pypdf\nw = pypdf.PdfWriter()\nw.add_blank_page(100, 100)\nw.write('x.pdf')\nprint(len(pypdf.PdfReader('x.pdf').pages))", "1"},
	{"python-dateutil", "strict", "from dateutil.parser import parse\nprint(parse('3 Feb 2024').date())", "2024-02-03"},
	{"pyyaml", "relaxed", "import yaml\nprint(yaml.safe_load('a: [1, 2]'))", "{'a': [1, 2]}"},
	{"rich", "relaxed", "from rich.console import Console\nfrom rich.table import Table\nt = Table('n')\nt.add_row('1')\nConsole(width=20).print(t)", "│ 1 │"},
	{"six", "strict", "import six\nprint(six.ensure_str(b'a'))", "a"},
	{"tabulate", "strict", "import tabulate\nprint(tabulate.tabulate([[1, 2]], headers=['a', 'b'], tablefmt='pipe'))", "|   1 |   2 |"},
	{"tomli-w", "strict", "import tomli_w\nprint(tomli_w.dumps({'a': 1}))", "a = 1"},
	{"urllib3", "relaxed", "import urllib3\nprint(urllib3.util.parse_url('http://a.example/b').path)", "/b"},
	{"xlsxwriter", "relaxed", "import xlsxwriter\nw = xlsxwriter.Workbook('x.xlsx', {'in_memory': True})\nw.add_worksheet().write(0, 0, 1)\nw.close()\nimport os\nprint(os.path.getsize('x.xlsx') > 1000)", "True"},
}

// stories are what agents are asked for most, in Python and JavaScript.
var stories = []struct{ name, language, profile, program, want string }{
	{"errors in logs", "python", "strict", `
from sandbox_utils import grep
open("a.log", "w").write("INFO up\nERROR disk full\nINFO\n")
open("b.log", "w").write("ERROR no route\n")
for file, number, line in sorted(grep("ERROR", "*.log")):
    print(file, number, line)
`, "a.log 2 ERROR disk full\nb.log 1 ERROR no route"},
	{"sales by product", "python", "strict", `
import csv, io
from collections import Counter
from tabulate import tabulate
rows = csv.DictReader(io.StringIO("product,amount\nnut,2\nbolt,5\nnut,4\n"))
sums = Counter()
for row in rows:
    sums[row["product"]] += int(row["amount"])
print(tabulate(sums.most_common(), headers=["product", "sales"], tablefmt="github"))
`, "| nut       |       6 |"},
	{"a report", "python", "strict", `
import markdown
from markdown.extensions.tables import TableExtension  # by name it is looked for, which is dear
open("r.md", "w").write("# Report\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
html = markdown.markdown(open("r.md").read(), extensions=[TableExtension()])
open("r.html", "w").write(html)
print(html)
`, "<td>2</td>"},
	{"a spreadsheet and back", "python", "relaxed", `
import csv, openpyxl
open("a.csv", "w").write("name,n\nx,1\ny,2\n")
book = openpyxl.Workbook()
for row in csv.reader(open("a.csv")):
    book.active.append(row)
book.save("a.xlsx")
rows = openpyxl.load_workbook("a.xlsx").active.iter_rows(values_only=True)
print("\n".join(",".join(row) for row in rows) == open("a.csv").read().strip())
`, "True"},
	{"errors in logs in JavaScript", "javascript", "strict", `
writeText("a.log", "INFO up\nERROR disk full\n");
readLines("a.log").forEach((line, i) => { if (line.includes("ERROR")) console.log(i + 1, line); });
`, "2 ERROR disk full"},
	{"sales by product in JavaScript", "javascript", "strict", `
const sums = {};
for (const line of "nut,2\nbolt,5\nnut,4".split("\n")) {
  const [product, amount] = line.split(",");
  sums[product] = (sums[product] || 0) + Number(amount);
}
for (const [product, sum] of Object.entries(sums)) console.log(product.padEnd(6) + sum);
`, "nut   6\nbolt  5"},
}

// runMain runs a command line in this process, with packages in dir.
func runMain(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	getenv := func(name string) string {
		if name == "SANDBOXD_DATA_DIR" {
			return dir
		}
		return os.Getenv(name)
	}
	code = run(context.Background(), args, getenv, strings.NewReader(""), &out, &complaints)
	return code, out.String(), complaints.String()
}

func TestEveryPackageOfTheCatalogueWorks(t *testing.T) {
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		t.Skip("fetches the catalogue; set " + packagesEnv + " to a directory")
	}
	if code, _, stderr := runMain(t, dir, "packages", "add", "--all"); code != 0 {
		t.Fatal(stderr)
	}
	// Where nothing is installed, the list is the catalogue.
	_, list, _ := runMain(t, t.TempDir(), "packages", "list", "--lang", "python")
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte("[server]\nharden = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(list) {
		name := strings.Fields(line)[0]
		found := name == "NAME"
		for _, u := range used {
			found = found || u.name == name
		}
		if !found {
			t.Errorf("%s is in the catalogue, and no test uses it", name)
		}
	}
	check := func(name, language, profile, program, want string) {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runMain(t, dir, "run", "--config", config, "--lang", language, "--profile", profile, "-c", program)
			if code != 0 || !strings.Contains(stdout, want) {
				t.Errorf("exit code %d, printed %q, want %q\n%s", code, stdout, want, stderr)
			}
		})
	}
	profiles := "[profiles.some]\npackages = [\"jinja2\"]\n[profiles.none]\npackages = []\n"
	if err := os.WriteFile(config, []byte("[server]\nharden = false\n"+profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	check("a profile allows what a package on its list requires", "python", "some", "import markupsafe, jinja2\nprint(1)", "1")
	check("a profile keeps others out", "python", "some", "try:\n    import six\nexcept ImportError as e:\n    print(e)", "No module named 'six'")
	check("a profile allows none", "python", "none", "try:\n    import jinja2\nexcept ImportError as e:\n    print(e)", "No module named 'jinja2'")
	check("packages cannot be changed", "python", "some", "try:\n    open('/packages/x.py', 'w')\nexcept OSError as e:\n    print(type(e).__name__)", "OSError")
	for _, u := range used {
		check(u.name, "python", u.profile, u.program, u.want)
	}
	for _, s := range stories {
		check(s.name, s.language, s.profile, s.program, s.want)
	}
}
