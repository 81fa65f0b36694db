package policies

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxDepth is how deeply keys, lists and tables may nest. Policies need five
// levels; the TOML library recurses without a bound and would exhaust the
// stack of the process.
const maxDepth = 24

// node says on which line a key or a list item was written. It has the shape of
// the decoded document.
type node struct {
	name  string // the dotted key, for messages
	line  int
	table bool // opened by a [header]
	set   bool // given a value
	keys  map[string]*node
	items []*node
}

// at returns the node of a key below n, or n itself where there is none, so
// that its line is always as close as can be.
func (n *node) at(key string) *node {
	if child, ok := n.keys[key]; ok {
		return child
	}
	return n
}

// item returns the node of the i-th list item, as at does.
func (n *node) item(i int) *node {
	if i < len(n.items) {
		return n.items[i]
	}
	return n
}

// child returns the node of a key below n, made with the given line when it is
// new. Below a list it is a key of the list's last item, as in TOML.
func (n *node) child(key string, line int) *node {
	if len(n.items) > 0 {
		n = n.items[len(n.items)-1]
	}
	if child, ok := n.keys[key]; ok {
		return child
	}
	if n.keys == nil {
		n.keys = map[string]*node{}
	}
	child := &node{name: joinKey(n.name, key), line: line}
	n.keys[key] = child
	return child
}

// locator finds the lines of keys in TOML text, which the TOML library does not
// tell. It only follows the structure: it accepts more than TOML, and leaves
// every judgement but the depth to the library.
type locator struct {
	src   string
	pos   int
	line  int
	depth int
	again map[int]*node // what a line sets that was set before
}

var (
	errStuck = errors.New("not TOML")
	errDeep  = errors.New("nested too deeply")
)

// locate returns the lines of all keys up to the place where it stopped, which
// is the end unless there is an error.
func (l *locator) locate() (*node, error) {
	root := &node{line: 1}
	table := root
	for {
		l.blank()
		if l.pos == len(l.src) {
			return root, nil
		}
		var err error
		if l.src[l.pos] == '[' {
			table, err = l.header(root)
		} else {
			err = l.pair(table)
		}
		if err != nil {
			return root, err
		}
		if l.spaces(); l.pos < len(l.src) && !strings.ContainsRune("#\r\n", rune(l.src[l.pos])) {
			return root, errStuck
		}
	}
}

// header reads "[a.b]" or "[[a.b]]" and returns the table it opens.
func (l *locator) header(root *node) (*node, error) {
	l.pos++
	list := l.accept('[')
	line := l.line
	n, err := l.key(root)
	if err != nil {
		return nil, err
	}
	if !l.accept(']') || list && !l.accept(']') {
		return nil, errStuck
	}
	if list {
		item := &node{name: n.name, line: line}
		n.items = append(n.items, item)
		return item, nil
	}
	if n.table || n.set {
		l.again[line] = n
	}
	n.table = true
	return n, nil
}

// pair reads "key = value" into a table.
func (l *locator) pair(table *node) error {
	line := l.line
	n, err := l.key(table)
	if err != nil {
		return err
	}
	if n.set || len(n.keys) > 0 {
		l.again[line] = n
	}
	n.set = true
	if !l.accept('=') {
		return errStuck
	}
	l.spaces()
	return l.value(n)
}

// key reads a dotted key and returns its node, made where it is new.
func (l *locator) key(n *node) (*node, error) {
	line := l.line
	for depth := 1; ; depth++ {
		l.spaces()
		part, err := l.keyPart()
		if err != nil {
			return nil, err
		}
		n = n.child(part, line)
		l.spaces()
		if !l.accept('.') {
			return n, nil
		}
		if depth == maxDepth {
			return nil, errDeep
		}
	}
}

func (l *locator) keyPart() (string, error) {
	start := l.pos
	if l.pos < len(l.src) && (l.src[l.pos] == '"' || l.src[l.pos] == '\'') {
		if err := l.oneLineString(); err != nil {
			return "", err
		}
		return unquoteKey(l.src[start:l.pos])
	}
	for l.pos < len(l.src) && isBare(l.src[l.pos]) {
		l.pos++
	}
	if l.pos == start {
		return "", errStuck
	}
	return l.src[start:l.pos], nil
}

// unquoteKey leaves the escapes of a quoted key to the library.
func unquoteKey(quoted string) (string, error) {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1], nil
	}
	var v struct{ Key string }
	if _, err := toml.Decode("Key = "+quoted, &v); err != nil {
		return "", errStuck
	}
	return v.Key, nil
}

func (l *locator) value(n *node) error {
	if l.pos == len(l.src) {
		return errStuck
	}
	switch c := l.src[l.pos]; {
	case strings.HasPrefix(l.src[l.pos:], `"""`), strings.HasPrefix(l.src[l.pos:], `'''`):
		return l.longString()
	case c == '"', c == '\'':
		return l.oneLineString()
	case c == '[':
		return l.nest(func() error { return l.list(n) })
	case c == '{':
		return l.nest(func() error { return l.inlineTable(n) })
	}
	start := l.pos
	for l.pos < len(l.src) && !strings.ContainsRune(",]}#\r\n", rune(l.src[l.pos])) {
		l.pos++
	}
	if l.pos == start {
		return errStuck
	}
	return nil
}

func (l *locator) nest(read func() error) error {
	if l.depth == maxDepth {
		return errDeep
	}
	l.depth++
	defer func() { l.depth-- }()
	l.pos++ // the bracket
	return read()
}

func (l *locator) list(n *node) error {
	for {
		if l.blank(); l.accept(']') {
			return nil
		}
		item := &node{name: n.name, line: l.line}
		n.items = append(n.items, item)
		if err := l.value(item); err != nil {
			return err
		}
		if l.blank(); !l.accept(',') && (l.pos == len(l.src) || l.src[l.pos] != ']') {
			return errStuck
		}
	}
}

func (l *locator) inlineTable(n *node) error {
	for {
		if l.blank(); l.accept('}') {
			return nil
		}
		if err := l.pair(n); err != nil {
			return err
		}
		if l.blank(); !l.accept(',') && (l.pos == len(l.src) || l.src[l.pos] != '}') {
			return errStuck
		}
	}
}

// oneLineString skips a string in single or double quotes.
func (l *locator) oneLineString() error {
	quote := l.src[l.pos]
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch c := l.src[l.pos]; {
		case c == quote:
			l.pos++
			return nil
		case c == '\n':
			return errStuck
		case c == '\\' && quote == '"' && !strings.HasPrefix(l.src[l.pos+1:], "\n"):
			l.pos++
		}
	}
	return l.stuckAtEnd()
}

// longString skips a string in three quotes, which may end in up to two more.
func (l *locator) longString() error {
	quote := l.src[l.pos : l.pos+3]
	for l.pos += 3; l.pos < len(l.src); l.pos++ {
		switch c := l.src[l.pos]; {
		case c == '\n':
			l.line++
		case c == '\\' && quote[0] == '"' && !strings.HasPrefix(l.src[l.pos+1:], "\n"):
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], quote):
			l.pos += 3
			for range 2 {
				l.accept(quote[0])
			}
			return nil
		}
	}
	return l.stuckAtEnd()
}

// stuckAtEnd gives up on a string that never ends.
func (l *locator) stuckAtEnd() error {
	l.pos = len(l.src)
	return errStuck
}

// blank skips spaces, line ends and comments.
func (l *locator) blank() {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\r':
		case '\n':
			l.line++
		case '#':
			end := strings.IndexByte(l.src[l.pos:], '\n')
			if end < 0 {
				end = len(l.src) - l.pos
			}
			l.pos += end
			continue
		default:
			return
		}
		l.pos++
	}
}

func (l *locator) spaces() {
	for l.pos < len(l.src) && (l.src[l.pos] == ' ' || l.src[l.pos] == '\t') {
		l.pos++
	}
}

func (l *locator) accept(c byte) bool {
	if l.pos < len(l.src) && l.src[l.pos] == c {
		l.pos++
		return true
	}
	return false
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
