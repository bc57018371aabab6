// Package greenroom_test checks what holds for the module as a whole.
package greenroom_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/greenroom-go/greenroom"

// layers lists the packages from the bottom up: each may import those before it.
var layers = []string{"messages", "actors", "pool", "examples"}

func layerOf(path string) int {
	for i, layer := range layers {
		if path == layer || strings.HasPrefix(path, layer+"/") {
			return i
		}
	}
	return -1
}

func TestImportsPointOneWay(t *testing.T) {
	checked := 0
	for _, file := range files(t, ".go") {
		from := layerOf(filepath.ToSlash(filepath.Dir(file)))
		if from < 0 {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range parsed.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			local, ok := strings.CutPrefix(path, module+"/")
			if !ok {
				continue
			}
			checked++
			require.LessOrEqual(t, layerOf(local), from, "%s imports %s, which is above it", file, local)
			require.GreaterOrEqual(t, layerOf(local), 0, "%s imports %s, which belongs to no layer", file, local)
		}
	}
	require.NotZero(t, checked)
}

// What tests is not linked into a program: no file of a program imports pooltest, or
// testing, and pooltest imports no assertions, which it would force on others.
func TestNothingOfPooltestIsImportedByAProgram(t *testing.T) {
	checked := 0
	for _, file := range files(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(file))
		harness := dir == "pool/pooltest" || strings.HasPrefix(dir, "pool/pooltest/")
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range parsed.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			checked++
			switch {
			case harness:
				require.NotContains(t, path, "testify", "%s", file)
			default:
				require.NotContains(t, path, "pool/pooltest", "%s is no test", file)
				require.False(t, path == "testing" || strings.HasPrefix(path, "testing/"), "%s imports %s and is no test", file, path)
			}
		}
	}
	require.NotZero(t, checked)
}

var (
	code  = regexp.MustCompile("(?s)\n```.*?\n```|`[^`\n]*`")
	link  = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	named = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]+|Example[A-Z][A-Za-z0-9_]+|Benchmark[A-Z][A-Za-z0-9]+)`")
)

func TestDocsLinkToFilesThatExist(t *testing.T) {
	for _, file := range files(t, ".md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(file), m[1]))
			require.NoError(t, err, "%s links to %s", file, m[1])
		}
	}
}

func TestDocsNameTestsThatExist(t *testing.T) {
	var code strings.Builder
	for _, file := range files(t, "_test.go") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(text)
	}
	for _, file := range files(t, ".md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, code.String(), "func "+m[1]+"(", "%s names %s", file, m[1])
		}
	}
}

// shown are the docs whose Go blocks are checked, with how many of them there are at least,
// and whether they show also what stands beside the function, in its file.
var shown = []struct {
	doc    string
	blocks int
	beside bool
}{
	{doc: "docs/from-python.md", blocks: 50},
	{doc: "docs/embedding.md", blocks: 7},
	{doc: "docs/testing.md", blocks: 5, beside: true},
}

// A Go block of the docs shows the lines of the Example or the test that is named last
// before it, some of which may be left out.
func TestDocsShowTheExamplesThatTheyName(t *testing.T) {
	functions, around := functionsOfTests(t)
	for _, s := range shown {
		texts := functions
		if s.beside {
			texts = around
		}
		text, err := os.ReadFile(s.doc)
		require.NoError(t, err)
		blocks, name := strings.Split(string(text), "\n```go\n"), ""
		require.GreaterOrEqual(t, len(blocks)-1, s.blocks, s.doc)
		for i, part := range blocks[1:] {
			lines, _, _ := strings.Cut(part, "\n```")
			if mentioned := named.FindAllStringSubmatch(blocks[i], -1); len(mentioned) > 0 {
				name = mentioned[len(mentioned)-1][1]
			}
			require.NotEmpty(t, name, "%s does not say what this is of:\n%s", s.doc, lines)
			rest := strings.Split(texts[name], "\n")
			for line := range strings.SplitSeq(lines, "\n") {
				at := slices.IndexFunc(rest, func(other string) bool { return strings.TrimSpace(other) == strings.TrimSpace(line) })
				require.NotEqual(t, -1, at, "%s shows for %s a line that it does not have there: %s", s.doc, name, line)
				rest = rest[at+1:]
			}
		}
	}
}

// functionsOfTests are the texts of all Examples and tests by name, and those of the files
// that they stand in. What has one name in two packages counts as one.
func functionsOfTests(t *testing.T) (functions, around map[string]string) {
	functions, around = map[string]string{}, map[string]string{}
	for _, file := range files(t, "_test.go") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for part := range strings.SplitSeq(string(text), "\nfunc ") {
			if name, _, ok := strings.Cut(part, "("); ok && (strings.HasPrefix(name, "Example") || strings.HasPrefix(name, "Test")) {
				functions[name] += part
				around[name] += string(text)
			}
		}
	}
	return functions, around
}

func files(t *testing.T, suffix string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return err
	})
	require.NoError(t, err)
	return found
}
