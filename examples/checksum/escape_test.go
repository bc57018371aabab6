package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	for name, want := range map[string]struct{ mark, escaped string }{
		"":              {"", ""},
		"plain":         {"", "plain"},
		"a b\tc":        {"", "a b\tc"},
		"\xff\xfe\x1b":  {"", "\xff\xfe\x1b"},
		`\`:             {`\`, `\\`},
		`\n`:            {`\`, `\\n`},
		"a\nb":          {`\`, `a\nb`},
		"a\rb":          {`\`, `a\rb`},
		"\\\n\r\\":      {`\`, `\\\n\r\\`},
		"tab\tand\nend": {`\`, "tab\tand\\nend"},
	} {
		mark, escaped := escape(name)
		require.Equal(t, want.mark, mark, "%q", name)
		require.Equal(t, want.escaped, escaped, "%q", name)
		back, ok := unescape(escaped)
		if mark != "" {
			require.True(t, ok)
			require.Equal(t, name, back)
		}
	}
}

func TestUnescapeRefusesWhatEscapeDoesNotProduce(t *testing.T) {
	for _, escaped := range []string{`\`, `a\`, `a\\\`, `\t`, `\x`, `\0`, "a\\\n", "nul\x00"} {
		_, ok := unescape(escaped)
		require.False(t, ok, "%q", escaped)
	}
}

func TestQuoteMakesNamesSafeForATerminal(t *testing.T) {
	for name, want := range map[string]string{
		"plain":    "plain",
		"a b":      "a b",
		"ünï":      "ünï",
		`back\`:    `back\`,
		"":         `""`,
		"new\n":    `"new\n"`,
		"\x1b[31m": `"\x1b[31m"`,
		"\xff":     `"\xff"`,
	} {
		require.Equal(t, want, quote(name))
	}
}

func FuzzUnescapeUndoesEscape(f *testing.F) {
	for name := range strange {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		mark, escaped := escape(name)
		require.NotContains(t, escaped, "\n")
		if mark == "" {
			require.Equal(t, name, escaped)
			return
		}
		back, ok := unescape(escaped)
		require.Equal(t, !strings.Contains(name, "\x00"), ok)
		if ok {
			require.Equal(t, name, back)
		}
	})
}
