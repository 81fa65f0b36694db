package packages

import "fmt"

// instead says what to use in place of packages that people ask for and that are
// native code.
var instead = map[string]string{
	"cryptography": "hashlib, hmac and secrets of the standard library",
	"lxml":         "xml.etree.ElementTree, with defusedxml for files of strangers",
	"matplotlib":   "sandbox_charts, which writes SVG",
	"numpy":        "math, statistics, fractions and array of the standard library; sandbox_charts for plots",
	"opencv":       "nothing here: do image work outside and pass the result in",
	"orjson":       "json of the standard library",
	"pandas":       "csv of the standard library with group_by and sort_by of sandbox_utils, tabulate for tables and openpyxl for spreadsheets",
	"pillow":       "sandbox_charts for drawing; images cannot be decoded here",
	"polars":       "csv of the standard library with group_by and sort_by of sandbox_utils",
	"psycopg2":     "a tool of the host's: programs have no sockets",
	"pyarrow":      "csv or json of the standard library",
	"scikit-learn": "statistics of the standard library, which has linear_regression and correlation",
	"scipy":        "math and statistics of the standard library",
	"tensorflow":   "nothing here: run models outside and offer them as a tool",
	"torch":        "nothing here: run models outside and offer them as a tool",
}

// refuseNative is the error for a package whose wheel has native code.
func refuseNative(name, file string) error {
	why := "is native code"
	if file != "" {
		why = fmt.Sprintf("has native code (%q)", file)
	}
	use := "look for a package of pure Python, whose wheel's name ends in \"none-any.whl\""
	if other, ok := instead[name]; ok {
		use = "use instead: " + other
	}
	return fmt.Errorf("%w: %s %s, which is made for one kind of processor and does not run inside WebAssembly; %s", ErrInvalid, name, why, use)
}
