package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/greenroom-go/greenroom/pool"
)

// asProgram makes the test binary the program, for tests that need a process.
const asProgram = "CHECKSUM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	// Makes the actor system that all pools share, outside of any bubble.
	if err := pool.With(context.Background(), func(*pool.Pool) error { return nil }); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// result is what a run left behind.
type result struct {
	stdout, stderr string
	status         int
}

// checksum runs the program.
func checksum(stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	status := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{stdout.String(), stderr.String(), status}
}

// sha256sum runs the real one. It reports false if GNU's is not here.
func sha256sum(t *testing.T, stdin string, args ...string) (result, bool) {
	t.Helper()
	version, err := exec.Command("sha256sum", "--version").Output()
	if err != nil || !strings.Contains(string(version), "GNU coreutils") {
		return result{}, false
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("sha256sum", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}, true
}

// newProgram makes a program whose files are given, for tests of what no
// directory can be made to do. The context ends when the program would quit.
func newProgram(t *testing.T, stdout io.Writer, files fs.FS) (*program, context.Context, *bytes.Buffer) {
	t.Helper()
	ctx, quit := context.WithCancelCause(t.Context())
	t.Cleanup(func() { quit(nil) })
	stderr := &bytes.Buffer{}
	return &program{
		console: console{stdout: stdout, stderr: stderr, quit: quit},
		workers: 2,
		open:    func(name string) (io.ReadCloser, error) { return files.Open(name) },
	}, ctx, stderr
}

// writeFiles makes files, and their directories, below the current directory.
func writeFiles(t *testing.T, contents map[string]string) {
	t.Helper()
	for name, content := range contents {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
	}
}

func hexOf(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// unreadable is a file whose reading goes wrong in the way of the test.
type unreadable struct {
	fs.File
	read  func([]byte) (int, error)
	close func()
}

func (u *unreadable) Read(b []byte) (int, error) { return u.read(b) }

func (u *unreadable) Close() error {
	if u.close != nil {
		u.close()
	}
	return nil
}

// opener is a file system of one function.
type opener func(name string) (fs.File, error)

func (o opener) Open(name string) (fs.File, error) { return o(name) }

func TestUsageErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, test := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"help is no error":                   {[]string{"-h"}, 0, "usage: checksum"},
		"a flag that there is not":           {[]string{"-x"}, 2, "-x"},
		"no workers":                         {[]string{"-workers", "0"}, 2, "1 to 1048576 workers"},
		"fewer than no workers":              {[]string{"-workers", "-1"}, 2, "1 to 1048576 workers"},
		"more workers than a pool takes":     {[]string{"-workers", "1048577"}, 2, "1 to 1048576 workers"},
		"more workers than a number takes":   {[]string{"-workers", "99999999999999999999"}, 2, "1 to 1048576 workers"},
		"workers that are no number":         {[]string{"-workers", "two"}, 2, "not a number"},
		"workers without a number":           {[]string{"-workers"}, 2, "-workers"},
		"two directories":                    {[]string{"a", "b"}, 2, "b is one argument too many"},
		"a directory to check":               {[]string{"-c", "list", "dir"}, 2, "dir is one argument too many"},
		"-c without a list":                  {[]string{"-c"}, 2, "-c"},
		"a directory that there is not":      {[]string{"nowhere"}, 1, "checksum: nowhere: no such file or directory\n"},
		"a directory without a name":         {[]string{""}, 1, `checksum: "": no such file or directory`},
		"a list that there is not":           {[]string{"-c", "nowhere"}, 1, "checksum: nowhere: no such file or directory\n"},
		"neither a file nor a directory":     {[]string{os.DevNull}, 1, "neither a regular file nor a directory"},
		"a directory that looks like a flag": {[]string{"--", "-x"}, 1, "checksum: -x: no such file or directory\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := checksum("", test.args...)
			require.Equal(t, test.status, got.status)
			require.Contains(t, got.stderr, test.stderr)
			require.Empty(t, got.stdout)
		})
	}
}

func TestEmptyDirectoryPrintsNothing(t *testing.T) {
	require.Equal(t, result{}, checksum("", t.TempDir()))
}
