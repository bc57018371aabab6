package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// strange is a tree with what can go wrong in it.
var strange = map[string]string{
	"plain":             "plain",
	"empty":             "",
	"big":               strings.Repeat("0123456789", 3*bufferSize/10) + "end",
	"exactly":           strings.Repeat("x", bufferSize),
	"with space":        "space",
	" leading":          "leading",
	"trailing ":         "trailing",
	"-dash":             "dash",
	"*star":             "star",
	"#hash":             "hash",
	"back\\slash":       "backslash",
	"\\leading":         "leading backslash",
	"new\nline":         "newline",
	"carriage\rreturn":  "return",
	"all\\of\nthe\rm":   "all",
	"tab\tand \x1b[31m": "terminal",
	"ünï/cödé":          "unicode",
	".hidden/.file":     "hidden",
	"a/x":               "a slash sorts after a dash",
	"a-b":               "a dash",
	"a/b/c/d/e":         "deep",
	"new\ndir/f":        "in a directory with a newline",
}

func TestPrintsWhatSha256sumPrints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "empty directory"), 0o755))
	t.Chdir(dir)
	writeFiles(t, strange)
	require.NoError(t, os.Symlink("plain", "link to file"))
	require.NoError(t, os.Symlink("a", "link to directory"))
	require.NoError(t, os.Symlink("nowhere", "link to nothing"))
	for _, root := range []string{".", "./", "./.", "../dir", "../dir/", "../dir//", "../dir/.", "a/..", dir, dir + "/"} {
		t.Run(root, func(t *testing.T) {
			got := checksum("", "-workers", "3", root)
			require.Zero(t, got.status)
			require.Empty(t, got.stderr)
			require.Equal(t, expected(t, root), sorted(got.stdout))
		})
	}
	t.Run("without an argument", func(t *testing.T) {
		require.Equal(t, checksum("", "."), checksum(""))
	})
}

// expected is what find and sha256sum print, or would print if they are not here.
func expected(t *testing.T, root string) []string {
	t.Helper()
	find, err := exec.LookPath("find")
	var names []string
	if err == nil {
		out, err := exec.Command(find, root, "-type", "f", "-print0").Output()
		require.NoError(t, err)
		names = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		require.Len(t, names, len(strange))
	} else {
		for name := range strange {
			names = append(names, strings.TrimSuffix(root, "/")+"/"+name)
		}
	}
	if theirs, ok := sha256sum(t, "", append([]string{"--"}, names...)...); ok {
		require.Zero(t, theirs.status)
		return sorted(theirs.stdout)
	}
	var lines strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		mark, escaped := escape(name)
		lines.WriteString(mark + hexOf(string(content)) + "  " + escaped + "\n")
	}
	return sorted(lines.String())
}

func sorted(lines string) []string {
	return slices.Sorted(strings.Lines(lines))
}

func TestPrintsInTheOrderOfPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, strange)
	var want strings.Builder
	for _, path := range slices.Sorted(maps.Keys(strange)) {
		mark, name := escape("./" + path)
		want.WriteString(mark + hexOf(strange[path]) + "  " + name + "\n")
	}
	require.Equal(t, want.String(), checksum("", "-workers", "8").stdout)
}

func TestSumsAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{"dir/file": "content"})
	require.NoError(t, os.Symlink("dir/file", "link"))
	require.NoError(t, os.Symlink("dir", "linked"))
	for root, name := range map[string]string{
		"dir/file": "dir/file", "./dir//file": "./dir//file", "link": "link", "linked": "linked/file",
	} {
		require.Equal(t, result{stdout: hexOf("content") + "  " + name + "\n"}, checksum("", root))
	}
}

func TestUnreadableFileIsReportedInItsPlaceAndTheOthersCome(t *testing.T) {
	broken := errors.New("bad sector")
	files := fstest.MapFS{"a": {Data: []byte("a")}, "z": {Data: []byte("z")}}
	// Both outputs in one place show that the message comes in its turn.
	var out bytes.Buffer
	p, ctx, _ := newProgram(t, &out, opener(func(name string) (fs.File, error) {
		if name == "broken\n" {
			return &unreadable{read: func([]byte) (int, error) { return 0, broken }}, nil
		}
		return files.Open(name)
	}))
	p.stderr = &out
	p.sum(ctx, slices.Values([]target{
		{path: "a"}, {path: "gone"}, {path: "broken\n"}, {path: "locked", err: fs.ErrPermission}, {path: "z"},
	}))
	require.Equal(t, strings.Join([]string{
		hexOf("a") + "  a",
		"checksum: gone: file does not exist",
		`checksum: "broken\n": bad sector`,
		"checksum: locked: permission denied",
		hexOf("z") + "  z\n",
	}, "\n"), out.String())
	require.Equal(t, 1, p.status(ctx))
}

// writer calls a function for each write.
type writer func(text string) error

func (w writer) Write(b []byte) (int, error) {
	if err := w(string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func TestOutputStartsBeforeTheWalkEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		printed := make(chan string, 2)
		p, ctx, _ := newProgram(t, writer(func(line string) error {
			printed <- line
			return nil
		}), fstest.MapFS{"a": {}, "b": {}})
		var first string
		p.sum(ctx, func(yield func(target) bool) {
			_ = yield(target{path: "a"})
			first = <-printed // or the bubble ends in a deadlock
			_ = yield(target{path: "b"})
		})
		require.Equal(t, hexOf("")+"  a\n", first)
		require.Equal(t, hexOf("")+"  b\n", <-printed)
	})
}

// endless gives the same file again and again, and counts how often.
func endless(path string, taken *int) iter.Seq[target] {
	return func(yield func(target) bool) {
		for yield(target{path: path}) {
			*taken++
		}
	}
}

func TestWalkIsAtMostAWindowAheadOfTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx, _ := newProgram(t, nil, fstest.MapFS{"f": {}})
		ctx, cancel := context.WithCancel(ctx)
		p.stdout = writer(func(string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		taken := 0
		go p.sum(ctx, endless("f", &taken))
		synctest.Wait()
		require.LessOrEqual(t, taken, window+1)
		require.Greater(t, taken, window/2, "the workers go ahead")
		cancel()
	})
}

func TestInterruptionEndsInsideABigFileAndKeepsWhatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stdout bytes.Buffer
		reading, closed := make(chan bool, 1), false
		p, ctx, stderr := newProgram(t, &stdout, opener(func(name string) (fs.File, error) {
			if name != "big" {
				return fstest.MapFS{"small": {}}.Open(name)
			}
			return &unreadable{
				read: func(b []byte) (int, error) {
					select {
					case reading <- true:
					default:
					}
					return len(b), nil // for ever
				},
				close: func() { closed = true },
			}, nil
		}))
		ctx, cancel := context.WithCancelCause(ctx)
		p.stdout = writer(func(line string) error {
			stdout.WriteString(line)
			<-reading
			cancel(signalled{syscall.SIGTERM})
			return nil
		})
		p.sum(ctx, slices.Values([]target{{path: "small"}, {path: "big"}, {path: "small"}}))
		require.Equal(t, 128+15, p.status(ctx))
		require.Equal(t, hexOf("")+"  small\n", stdout.String())
		require.Empty(t, stderr.String())
		synctest.Wait()
		require.True(t, closed)
	})
}

func TestEndedContextPrintsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, strange)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 130, run(ctx, nil, nil, &stdout, &stderr))
	require.Empty(t, stdout.String())
	require.Empty(t, stderr.String())
}

func TestOutputThatCannotBeWrittenEndsTheProgram(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		stderr string
	}{
		"quietly if nobody reads it": {syscall.EPIPE, 0, ""},
		"and says why otherwise":     {syscall.ENOSPC, 1, "checksum: write error: no space left on device\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := 0
				p, ctx, stderr := newProgram(t, writer(func(string) error {
					if lines++; lines < 3 {
						return nil
					}
					return &fs.PathError{Op: "write", Path: "/dev/stdout", Err: test.err}
				}), fstest.MapFS{"f": {}})
				taken := 0
				p.sum(ctx, endless("f", &taken))
				require.Equal(t, test.status, p.status(ctx))
				require.Equal(t, test.stderr, stderr.String())
				require.Equal(t, 3, lines, "nothing is written after the error")
				synctest.Wait()
			})
		})
	}
}
