package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/runtimes/packages"
)

// usedNPM says how each package of JavaScript's catalogue is used by a program, what that
// prints, and which profile is enough.
var usedNPM = []struct{ name, profile, program, want string }{
	{"ajv", "relaxed", "import Ajv from 'ajv';\nconst check = new Ajv.default().compile({ type: 'object', required: ['a'] });\nconsole.log(check({ a: 1 }), check({}));", "true false"},
	{"big.js", "strict", "import Big from 'big.js';\nconsole.log(new Big('0.1').plus('0.2').toString());", "0.3"},
	{"bignumber.js", "strict", "import BigNumber from 'bignumber.js';\nconsole.log(new BigNumber('1e30').plus(1).toFixed());", "1000000000000000000000000000001"},
	{"change-case", "strict", "import { snakeCase } from 'change-case';\nimport { camelCase } from 'change-case/keys';\nconsole.log(snakeCase('helloWorld'), camelCase({ a_b: 1 }));", "hello_world { aB: 1 }"},
	{"cheerio", "relaxed", "import * as cheerio from 'cheerio';\nconst $ = cheerio.load('<ul><li class=\"x\">one</li></ul>');\nconsole.log($('li.x').text());", "one"},
	{"csv-parse", "strict", "import { parse } from 'csv-parse/sync';\nconsole.log(JSON.stringify(parse('a,b\\n1,\"2,3\"', { columns: true })));", `[{"a":"1","b":"2,3"}]`},
	{"csv-stringify", "strict", "import { stringify } from 'csv-stringify/sync';\nconsole.log(stringify([[1, 'a,b']]));", `1,"a,b"`},
	{"d3-array", "strict", "import { extent, rollup } from 'd3-array';\nconsole.log(extent([3, 1, 2]), rollup(['a', 'b', 'a'], (v) => v.length, (d) => d).get('a'));", "[ 1, 3 ] 2"},
	{"date-fns", "strict", "import { addDays, format } from 'date-fns';\nimport { de } from 'date-fns/locale/de';\nconsole.log(format(addDays(new Date(0), 1), 'd. MMMM yyyy', { locale: de }));", "2. Januar 1970"},
	{"dayjs", "strict", "import dayjs from 'dayjs';\nimport utc from 'dayjs/plugin/utc';\nimport 'dayjs/locale/de';\ndayjs.extend(utc);\nconsole.log(dayjs.utc('2024-02-29').add(1, 'year').locale('de').format('D. MMMM YYYY'));", "28. Februar 2025"},
	{"decimal.js", "strict", "const Decimal = require('decimal.js');\nconsole.log(new Decimal(2).sqrt().toFixed(10));", "1.4142135624"},
	{"diff", "strict", "import { diffWords } from 'diff';\nconsole.log(diffWords('one two', 'one three').filter((d) => d.added)[0].value);", "three"},
	{"fast-xml-parser", "strict", "import { XMLParser } from 'fast-xml-parser';\nconsole.log(JSON.stringify(new XMLParser({ ignoreAttributes: false }).parse('<a b=\"1\"><c>2</c></a>')));", `{"a":{"c":2,"@_b":"1"}}`},
	{"fflate", "strict", "import { gzipSync, gunzipSync, strToU8, strFromU8 } from 'fflate';\nconsole.log(strFromU8(gunzipSync(gzipSync(strToU8('hello')))));", "hello"},
	{"fuse.js", "strict", "import Fuse from 'fuse.js';\nconsole.log(new Fuse(['apple', 'banana']).search('aple')[0].item);", "apple"},
	{"handlebars", "strict", "import Handlebars from 'handlebars';\nconsole.log(Handlebars.compile('{{#each xs}}{{this}};{{/each}}')({ xs: [1, 2] }));", "1;2;"},
	{"he", "strict", "import he from 'he';\nconsole.log(he.decode('&lt;&eacute;'));", "<é"},
	{"immer", "strict", "import { produce } from 'immer';\nconst a = { n: [1] };\nconst b = produce(a, (d) => { d.n.push(2); });\nconsole.log(a.n.length, b.n.length);", "1 2"},
	{"ini", "strict", "import ini from 'ini';\nconsole.log(ini.parse('[a]\\nb=1').a.b);", "1"},
	{"js-yaml", "strict", "import { load, dump } from 'js-yaml';\nconsole.log(JSON.stringify(load('a: [1, 2]')), dump({ b: 1 }));", `{"a":[1,2]} b: 1`},
	{"jszip", "strict", "import JSZip from 'jszip';\nconst zip = new JSZip();\nzip.file('a.txt', 'hello');\nconst data = await zip.generateAsync({ type: 'uint8array', compression: 'DEFLATE' });\nconsole.log(await (await JSZip.loadAsync(data)).file('a.txt').async('string'));", "hello"},
	{"lodash", "strict", "import _, { groupBy } from 'lodash';\nconsole.log(_.chunk([1, 2, 3], 2).length, groupBy([1.2, 1.5], Math.floor));", "2 { '1': [ 1.2, 1.5 ] }"},
	{"lodash", "relaxed", "import fp from 'lodash/fp';\nconsole.log(fp.map((x) => x + 1)([1]));", "[ 2 ]"},
	{"lodash-es", "strict", "import { sum } from 'lodash-es';\nconsole.log(sum([1, 2]));", "3"},
	{"luxon", "strict", "import { DateTime } from 'luxon';\nconsole.log(DateTime.fromISO('2024-02-29', { zone: 'utc' }).plus({ years: 1 }).toISODate());", "2025-02-28"},
	{"markdown-it", "strict", "import MarkdownIt from 'markdown-it';\nconsole.log(new MarkdownIt().render('# a *b*'));", "<h1>a <em>b</em></h1>"},
	{"marked", "strict", "import { marked } from 'marked';\nconsole.log(marked('# a *b*'));", "<h1>a <em>b</em></h1>"},
	{"mustache", "strict", "import Mustache from 'mustache';\nconsole.log(Mustache.render('{{#xs}}{{.}};{{/xs}}', { xs: [1, 2] }));", "1;2;"},
	{"nanoid", "strict", "import { nanoid } from 'nanoid';\nconsole.log(nanoid().length);", "21"},
	{"papaparse", "strict", "import Papa from 'papaparse';\nconsole.log(JSON.stringify(Papa.parse('a,b\\n1,2', { header: true, dynamicTyping: true }).data));", `[{"a":1,"b":2}]`},
	{"pluralize", "strict", "import pluralize from 'pluralize';\nconsole.log(pluralize('mouse', 2));", "mice"},
	{"qs", "strict", "import qs from 'qs';\nconsole.log(JSON.stringify(qs.parse('a[b]=1&c[]=2')));", `{"a":{"b":"1"},"c":["2"]}`},
	{"ramda", "strict", "import * as R from 'ramda';\nconsole.log(R.pipe(R.map(R.inc), R.sum)([1, 2]));", "5"},
	{"semver", "strict", "import semver, { gt } from 'semver';\nconsole.log(gt('1.10.0', '1.9.0'), semver.satisfies('1.2.3', '^1.0.0'));", "true true"},
	{"simple-statistics", "strict", "import { median, linearRegression } from 'simple-statistics';\nconsole.log(median([3, 1, 2]), linearRegression([[0, 1], [1, 3]]).m);", "2 2"},
	{"slugify", "strict", "import slugify from 'slugify';\nconsole.log(slugify('Größe & Maß', { lower: true }));", "grosse-and-mass"},
	{"smol-toml", "strict", "import { parse, stringify } from 'smol-toml';\nconsole.log(parse('a = 1').a, stringify({ b: [1] }));", "1 b = [ 1 ]"},
	{"turndown", "relaxed", "import TurndownService from 'turndown';\nconsole.log(new TurndownService().turndown('<p>a <em>b</em></p>'));", "a _b_"},
	{"uuid", "strict", "import { v5, validate, v7 } from 'uuid';\nconsole.log(v5('a', v5.URL), validate(v7()));", "true"},
	{"validator", "strict", "import validator from 'validator';\nconsole.log(validator.isEmail('a@b.example'), validator.isURL('nope'));", "true false"},
	{"xml2js", "strict", "import { parseStringPromise } from 'xml2js';\nconsole.log(JSON.stringify(await parseStringPromise('<a b=\"1\">2</a>')));", `{"a":{"_":"2","$":{"b":"1"}}}`},
	{"yaml", "strict", "import YAML from 'yaml';\nconsole.log(YAML.parse('a: [1, 2]').a.length, YAML.stringify({ b: 1 }));", "2 b: 1"},
	{"zod", "relaxed", "import { z } from 'zod';\nconst T = z.object({ n: z.number().min(1) });\nconsole.log(T.safeParse({ n: 2 }).success, T.safeParse({ n: 0 }).error.issues[0].path);", "true [ 'n' ]"},
}

func TestEveryPackageOfTheJavaScriptCatalogueWorks(t *testing.T) {
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		t.Skip("fetches the catalogue; set " + packagesEnv + " to a directory")
	}
	if code, _, stderr := runMain(t, dir, "packages", "add", "--lang", "javascript", "--all"); code != 0 {
		t.Fatal(stderr)
	}
	// Every name and subpath of the catalogue, by import and by require.
	if code, stdout, stderr := runMain(t, dir, "packages", "check", "--lang", "javascript"); code != 0 {
		t.Errorf("%s\n%s", stdout, stderr)
	}
	// Where nothing is installed, the list is the catalogue.
	_, list, _ := runMain(t, t.TempDir(), "packages", "list", "--lang", "javascript")
	for line := range strings.Lines(list) {
		name := strings.Fields(line)[0]
		found := name == "NAME"
		for _, u := range usedNPM {
			found = found || u.name == name
		}
		if !found {
			t.Errorf("%s is in the catalogue, and no test uses it", name)
		}
	}
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	profiles := "[server]\nharden = false\n[profiles.some]\npackages = [\"semver\"]\n[profiles.none]\npackages = []\n"
	if err := os.WriteFile(config, []byte(profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(name, language, profile, program, want string) {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := runMain(t, dir, "run", "--config", config, "--lang", language, "--profile", profile, "-c", program)
			if code != 0 || !strings.Contains(stdout, want) {
				t.Errorf("exit code %d, printed %q, want %q\n%s", code, stdout, want, stderr)
			}
		})
	}
	const tries = "try { require('%'); } catch (e) { console.log(e.code); }"
	check("a profile allows what is on its list", "javascript", "some", "console.log(require('semver').valid('1.0.0'))", "1.0.0")
	check("a profile keeps others out", "javascript", "some", strings.ReplaceAll(tries, "%", "uuid"), "MODULE_NOT_FOUND")
	check("a profile allows none", "javascript", "none", strings.ReplaceAll(tries, "%", "semver"), "MODULE_NOT_FOUND")
	check("packages cannot be changed", "javascript", "some", "try { writeText('/node_modules/semver/index.cjs', ''); } catch (e) { console.log(e.code); }", "EROFS")
	for _, u := range usedNPM {
		check(u.name, "javascript", u.profile, u.program, u.want)
	}
	check("a report in JavaScript", "javascript", "strict", `
import { marked } from "marked";
writeText("r.md", "# Report\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
writeText("r.html", marked(readText("r.md")));
console.log(readText("r.html"));
`, "<td>2</td>")
	check("sales by product, of a CSV file, in JavaScript", "javascript", "strict", `
import Papa from "papaparse";
writeText("sales.csv", "product,amount\nnut,2\nbolt,5\nnut,4\n");
const sums = {};
for (const row of Papa.parse(readText("sales.csv"), { header: true, dynamicTyping: true, skipEmptyLines: true }).data) {
  sums[row.product] = (sums[row.product] ?? 0) + row.amount;
}
for (const [product, sum] of Object.entries(sums)) console.log("| " + product.padEnd(6) + "| " + sum + " |");
`, "| nut   | 6 |")
	check("in TypeScript", "typescript", "strict", "import semver from 'semver';\nimport Big from 'big.js';\nconst n: number = new Big(1).plus(2).toNumber();\nconsole.log(n, semver.major('3.1.0') as number);", "3 3")
}

// TestCommandsOfThePackagesPage runs what docs/packages.md shows behind "$": commands that
// fetch packages, which the tests of the other pages do not.
func TestCommandsOfThePackagesPage(t *testing.T) {
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		t.Skip("fetches packages; set " + packagesEnv + " to a directory")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("the documentation is written for a POSIX shell: ", err)
	}
	t.Setenv("SANDBOXD_DATA_DIR", dir)
	page, err := os.ReadFile(filepath.Join(repository(t), "docs", "packages.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for line := range strings.Lines(string(page)) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		ran++
		cmd := exec.CommandContext(t.Context(), shell, "-eu", "-c", command)
		cmd.Dir, cmd.Env = t.TempDir(), childEnv(t)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s%v\n%s", command, err, out)
		}
	}
	if ran < 10 {
		t.Errorf("the page has %d commands", ran)
	}
}

// TestBuiltinsAreThoseOfTheRuntime holds the list of names that no package may have
// against what programs find.
func TestBuiltinsAreThoseOfTheRuntime(t *testing.T) {
	config := filepath.Join(t.TempDir(), "sandbox.toml")
	if err := os.WriteFile(config, []byte("[server]\nharden = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runMain(t, t.TempDir(), "run", "--config", config, "--lang", "javascript", "-c", "console.log(require('module').builtinModules.join(' '))")
	if code != 0 {
		t.Fatal(stderr)
	}
	found := strings.Fields(stdout)
	slices.Sort(found)
	if want := packages.Builtins(); !slices.Equal(found, want) {
		t.Errorf("the runtime has\n%q, the packages know\n%q", found, want)
	}
}

// TestServersListPackagesOfJavaScript holds what servers say there is, such as MCP's
// list_available_packages, against a lock file.
func TestServersListPackagesOfJavaScript(t *testing.T) {
	dir := t.TempDir()
	a := &app{getenv: func(name string) string {
		if name == "SANDBOXD_DATA_DIR" {
			return dir
		}
		return os.Getenv(name)
	}}
	registry, err := a.registry()
	if err != nil {
		t.Fatal(err)
	}
	if got := a.installedPackages(registry)("js"); len(got) > 0 {
		t.Errorf("installed are %q", got)
	}
	home := filepath.Join(dir, "packages", "javascript")
	lock := "[[package]]\nname = \"@scope/a\"\nversion = \"1.2.3\"\nsummary = \"\"\nintegrity = \"sha512-" + strings.Repeat("A", 86) + "==\"\n"
	if err := errors.Join(os.MkdirAll(home, 0o700), os.WriteFile(filepath.Join(home, "installed.toml"), []byte(lock), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, want := a.installedPackages(registry)("typescript"), []string{"@scope/a 1.2.3"}; !slices.Equal(got, want) {
		t.Errorf("installed are %q, want %q", got, want)
	}
	if got := packagedModules(registry)("javascript"); !slices.Contains(got, "date-fns/locale/de") || slices.Contains(got, "jinja2") {
		t.Errorf("the catalogue of JavaScript has %q", got)
	}
	if got := packagedModules(registry)("python"); !slices.Contains(got, "jinja2") || slices.Contains(got, "lodash") {
		t.Errorf("the catalogue of Python has %q", got)
	}
}
