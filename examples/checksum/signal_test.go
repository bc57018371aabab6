package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is the program as others see it. It checks a list that never ends.
type process struct {
	*exec.Cmd
	list   io.WriteCloser
	stdout io.ReadCloser
	lines  *bufio.Reader
	stderr strings.Builder
}

func prepare(t *testing.T) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), os.Args[0], "-c", "-")}
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Dir = t.TempDir()
	var err error
	p.list, err = p.StdinPipe()
	require.NoError(t, err)
	return p
}

func start(t *testing.T) *process {
	t.Helper()
	p := prepare(t)
	p.Stderr = &p.stderr
	var err error
	p.stdout, err = p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(p.Dir+"/a", nil, 0o644))
	require.NoError(t, p.Start())
	p.lines = bufio.NewReader(p.stdout)
	return p
}

// answer reads the answer to one more line of the list.
func (p *process) answer(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.list, hexOf("")+"  a\n")
	require.NoError(t, err)
	line, err := p.lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "a: OK\n", line)
}

func (p *process) end() int {
	_ = p.Wait() // of the errors only the status is of interest
	return p.ProcessState.ExitCode()
}

func TestSignalEndsTheProcess(t *testing.T) {
	for signal, status := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			p := start(t)
			p.answer(t)
			require.NoError(t, p.Process.Signal(signal))
			rest, err := io.ReadAll(p.lines) // its end is that of the process
			require.NoError(t, err)
			require.Empty(t, rest)
			require.Equal(t, status, p.end())
			require.Empty(t, p.stderr.String())
		})
	}
}

func TestClosedStdoutEndsTheProcess(t *testing.T) {
	p := start(t)
	p.answer(t)
	require.NoError(t, p.stdout.Close())
	_, err := io.WriteString(p.list, hexOf("")+"  a\n") // and the list stays open
	require.NoError(t, err)
	require.Equal(t, 141, p.end())
	require.Empty(t, p.stderr.String())
}

func TestSignalEndsAProcessWhoseReaderHasStopped(t *testing.T) {
	r, full, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, full.SetWriteDeadline(time.Now().Add(time.Millisecond)))
	for err == nil {
		_, err = full.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	p := prepare(t)
	p.Stdout = full
	stderr, err := p.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	require.NoError(t, full.Close())
	_, err = io.WriteString(p.list, hexOf("")+"  gone\n")
	require.NoError(t, err)
	message, err := bufio.NewReader(stderr).ReadString('\n') // printed before the line that finds no room
	require.NoError(t, err)
	require.Equal(t, "checksum: gone: no such file or directory\n", message)
	require.NoError(t, p.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, p.end())
}
