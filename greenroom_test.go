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

// A Go block of the docs shows the lines of the Example that is named last
// before it, some of which may be left out.
func TestDocsShowTheExamplesThatTheyName(t *testing.T) {
	examples := map[string]string{}
	for _, file := range files(t, "_test.go") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for part := range strings.SplitSeq(string(text), "\nfunc ") {
			if name, _, ok := strings.Cut(part, "("); ok && strings.HasPrefix(name, "Example") {
				examples[name] = part
			}
		}
	}
	text, err := os.ReadFile("docs/from-python.md")
	require.NoError(t, err)
	parts := strings.Split(string(text), "\n```go\n")
	for i, part := range parts[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		mentioned := named.FindAllStringSubmatch(parts[i], -1)
		require.NotEmpty(t, mentioned)
		name := mentioned[len(mentioned)-1][1]
		rest := strings.Split(examples[name], "\n")
		for line := range strings.SplitSeq(block, "\n") {
			at := slices.IndexFunc(rest, func(other string) bool { return strings.TrimSpace(other) == strings.TrimSpace(line) })
			require.NotEqual(t, -1, at, "docs/from-python.md shows for %s a line that it does not have there: %s", name, line)
			rest = rest[at+1:]
		}
	}
	require.Greater(t, len(parts), 50)
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
