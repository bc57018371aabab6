package workloads

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pacer wakes its goroutine at a moment, exactly: time.Sleep would be up to a
// millisecond late in a process that is otherwise idle, since that is the
// resolution of the wait for events. A timer of the kernel that is read like a
// file is such an event itself, as a request from a network is.
type pacer struct {
	timer *os.File
	fd    int
	fired [8]byte
}

func newPacer() (*pacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer of the kernel: %w", err)
	}
	return &pacer{timer: os.NewFile(uintptr(fd), "timer"), fd: fd}, nil
}

// sleep blocks the goroutine, and no thread, for d.
func (p *pacer) sleep(d time.Duration) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(p.fd, 0, &spec, nil); err != nil {
		return fmt.Errorf("set a timer of the kernel: %w", err)
	}
	if _, err := p.timer.Read(p.fired[:]); err != nil {
		return fmt.Errorf("wait for a timer of the kernel: %w", err)
	}
	return nil
}

func (p *pacer) close() error { return p.timer.Close() }
