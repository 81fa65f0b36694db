// Package protodoc makes a page of documentation from a .proto file: what its comments
// say, in the file's own order. It reads files in the format of "buf format", one
// declaration to a line, and understands no others.
package protodoc

import (
	"bufio"
	"fmt"
	"regexp"
	"strings"
)

var (
	rpcLine   = regexp.MustCompile(`^rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)`)
	fieldLine = regexp.MustCompile(`^(?:(optional|repeated) )?([\w.<>, ]+) (\w+) = \d+;`)
	valueLine = regexp.MustCompile(`^(\w+) = \d+;`)
	openLine  = regexp.MustCompile(`^(service|message|enum|oneof) (\w+) \{(\})?$`)
)

// page is a page in the making.
type page struct {
	out     strings.Builder
	comment []string
	open    []string // what is open: kind and name, as in "message Result"
	table   bool     // a table has begun
}

// Markdown returns the page of a .proto file, without a title.
func Markdown(proto string) (string, error) {
	var p page
	lines := bufio.NewScanner(strings.NewReader(proto))
	for n := 1; lines.Scan(); n++ {
		if err := p.line(strings.TrimSpace(lines.Text())); err != nil {
			return "", fmt.Errorf("line %d: %w", n, err)
		}
	}
	return p.out.String(), lines.Err()
}

// line reads one line.
func (p *page) line(s string) error {
	if text, ok := strings.CutPrefix(s, "//"); ok {
		if !strings.HasPrefix(text, " buf:lint:") {
			p.comment = append(p.comment, strings.TrimPrefix(text, " "))
		}
		return nil
	}
	said := p.comment
	p.comment = nil
	switch {
	case s == "" && len(p.open) == 0 && p.out.Len() == 0:
		p.comment = said // the file's own comment may be followed by a blank line
	case s == "", strings.HasPrefix(s, "import "), strings.HasPrefix(s, "option "), strings.HasPrefix(s, "package "):
	case strings.HasPrefix(s, "syntax "):
		p.paragraph(said)
	case s == "}":
		if len(p.open) == 0 {
			return fmt.Errorf("%q closes nothing", s)
		}
		p.open, p.table = p.open[:len(p.open)-1], false
	case openLine.MatchString(s):
		p.begin(openLine.FindStringSubmatch(s), said)
	case rpcLine.MatchString(s):
		p.rpc(rpcLine.FindStringSubmatch(s), said)
	case valueLine.MatchString(s):
		p.row("value", "`"+valueLine.FindStringSubmatch(s)[1]+"`", said)
	case fieldLine.MatchString(s):
		m := fieldLine.FindStringSubmatch(s)
		p.row("field", fmt.Sprintf("`%s` %s", m[3], strings.TrimSpace(m[1]+" "+m[2])), said)
	default:
		return fmt.Errorf("%q is nothing that is known", s)
	}
	return nil
}

// paragraph writes text as it was broken into lines; what is indented is kept so.
func (p *page) paragraph(lines []string) {
	p.out.WriteString("\n")
	fenced := false
	for _, line := range lines {
		if deep := strings.HasPrefix(line, "  "); deep != fenced && line != "" {
			p.out.WriteString("```\n")
			fenced = deep
		}
		p.out.WriteString(strings.TrimPrefix(line, "  ") + "\n")
	}
	if fenced {
		p.out.WriteString("```\n")
	}
}

// begin begins a service, a message, an enumeration, or a choice in a message.
func (p *page) begin(m, said []string) {
	kind, name := m[1], m[2]
	if m[3] == "" {
		p.open = append(p.open, name)
	}
	if kind == "oneof" { // its fields are the message's
		return
	}
	p.table = false
	full := name
	if len(p.open) > 1 && m[3] == "" {
		full = strings.Join(p.open, ".")
	}
	level := "###"
	if kind == "service" {
		level = "##"
	}
	fmt.Fprintf(&p.out, "\n%s %s %s\n", level, kind, full)
	if len(said) > 0 {
		p.paragraph(said)
	}
}

// rpc writes a method.
func (p *page) rpc(m, said []string) {
	fmt.Fprintf(&p.out, "\n**%s** (%s%s) returns (%s%s)\n", m[1], m[2], link(m[3]), m[4], link(m[5]))
	p.paragraph(said)
}

// link leads to a message.
func link(name string) string {
	return fmt.Sprintf("[%s](#message-%s)", name, strings.ToLower(name))
}

// row writes a line of a table.
func (p *page) row(head, name string, said []string) {
	if !p.table {
		fmt.Fprintf(&p.out, "\n| %s | |\n|---|---|\n", head)
		p.table = true
	}
	fmt.Fprintf(&p.out, "| %s | %s |\n", name, strings.Join(said, " "))
}
