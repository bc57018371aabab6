package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"strings"
)

// entry is one line of a list of checksums.
type entry struct {
	name      string
	want      digest
	input     io.Reader // what to hash instead of the file, if the name is -
	malformed bool      // the line is none of the formats
}

// parser reads a list in the formats that sha256sum takes:
//
//	HEX  NAME           text
//	HEX *NAME           binary, which makes no difference
//	HEX NAME            BSD, reversed
//	SHA256 (NAME) = HEX BSD
//
// each with a backslash in front if the name is escaped. The first and second do
// not mix with the third, for then a name could begin with the marker of the
// other format and stand for another file.
type parser struct {
	list  io.Reader
	stdin io.Reader // what the name - stands for; nil if it is the list

	format format
}

// format is which of the untagged formats the lines so far were in.
type format uint8

const (
	unknown format = iota
	marked         // with a marker for text or binary
	reversed
)

// entries gives the entries, which may be few and late, as they are read. Its
// error is that of the reader.
func (p *parser) entries() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		lines := bufio.NewReaderSize(p.list, maxLine)
		for {
			line, err := readLine(lines)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(entry{}, err)
				return
			}
			if strings.HasPrefix(line, "#") {
				continue
			}
			line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			if line != "" && !yield(p.entry(line), nil) {
				return
			}
		}
	}
}

// maxLine bounds what is kept of a line: far more than the longest path of any
// system, for a list may turn out to be a big file with no line ends at all.
const maxLine = 64 << 10

// readLine returns the next line with its end, or the first bytes of one that is
// too long: that is no entry, or one whose file cannot be opened.
func readLine(r *bufio.Reader) (string, error) {
	start, err := r.ReadSlice('\n')
	line := string(start)
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}
	if err == io.EOF && line != "" {
		err = nil // it comes again
	}
	return line, err
}

func (p *parser) entry(line string) entry {
	e, ok := p.parse(line)
	switch {
	case !ok || e.name == "-" && p.stdin == nil:
		return entry{malformed: true}
	case e.name == "-":
		e.input, p.stdin = p.stdin, strings.NewReader("") // a second one finds it read
	}
	return e
}

func (p *parser) parse(line string) (e entry, ok bool) {
	const hexLen = 2 * sha256.Size
	line, escaped := strings.CutPrefix(strings.TrimLeft(line, blanks), `\`)
	if tagged, ok := strings.CutPrefix(line, "SHA256"); ok {
		return parseTagged(tagged, escaped)
	}
	if len(line) < hexLen+2 || strings.IndexByte(blanks, line[hexLen]) < 0 || !e.want.parse(line[:hexLen]) {
		return e, false
	}
	name := line[hexLen+1:]
	if p.format == unknown {
		p.format = reversed
		if hasMarker(name) {
			p.format = marked
		}
	}
	if p.format == marked {
		if !hasMarker(name) {
			return e, false
		}
		name = name[1:]
	}
	return e.named(name, escaped)
}

const blanks = " \t"

func hasMarker(name string) bool {
	return len(name) > 1 && (name[0] == ' ' || name[0] == '*')
}

// parseTagged parses what comes after the tag. The name may have parentheses.
func parseTagged(line string, escaped bool) (e entry, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimPrefix(line, " "), "(")
	end := strings.LastIndexByte(line, ')')
	if !ok || end < 0 {
		return e, false
	}
	sum, ok := strings.CutPrefix(strings.TrimLeft(line[end+1:], blanks), "=")
	if !ok || !e.want.parse(strings.TrimLeft(sum, blanks)) {
		return e, false
	}
	return e.named(line[:end], escaped)
}

func (e entry) named(name string, escaped bool) (entry, bool) {
	e.name = name
	if !escaped {
		return e, true
	}
	var ok bool
	e.name, ok = unescape(name)
	return e, ok
}

func (d *digest) parse(text string) bool {
	if len(text) != hex.EncodedLen(len(d)) {
		return false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return err == nil
}
