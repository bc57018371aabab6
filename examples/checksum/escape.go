package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// escape gives a name as sha256sum writes it, so that it fits on one line, and
// the mark that goes in front of that line: a backslash if anything was escaped.
func escape(name string) (mark, escaped string) {
	if !strings.ContainsAny(name, "\\\n\r") {
		return "", name
	}
	return `\`, escapes.Replace(name)
}

// unescape undoes escape for the name on a line with the mark. It reports false
// for what escape does not produce.
func unescape(escaped string) (string, bool) {
	var name strings.Builder
	for {
		plain, rest, more := strings.Cut(escaped, `\`)
		name.WriteString(plain)
		if !more {
			return name.String(), !strings.Contains(name.String(), "\x00")
		}
		if rest == "" {
			return "", false
		}
		switch rest[0] {
		case '\\':
			name.WriteByte('\\')
		case 'n':
			name.WriteByte('\n')
		case 'r':
			name.WriteByte('\r')
		default:
			return "", false
		}
		escaped = rest[1:]
	}
}

// quote makes a name safe to show in a message: one that could move the cursor
// or pass for several lines is written as in Go source.
func quote(name string) string {
	strange := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, strange) {
		return strconv.Quote(name)
	}
	return name
}
