package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// drainWait is how long a process may take to end after SIGTERM: its own drain limit of 30 s and some.
	drainWait = 40 * time.Second
	// logTailBytes is what a failure message shows of a process's log.
	logTailBytes = 6 << 10
)

// A Process is one running arbalest.
type Process struct {
	Name    string // "coordinator", "worker-1", "serve"
	Address string // host:port of its Flight door
	HTTP    string // host:port of its pages
	LogPath string

	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has ended and err is set
	err   error
	first *Footprint // what it held before its first query; nil = not known
	stop  sync.Once
	// killed: by Kill, so that its end is no fault. Written inside stop.
	killed bool
}

// start runs the binary with its output appended to a log file. The goroutine that starts the process keeps its thread
// until the process ends, because the kernel's parent-death signal is bound to the thread. enter, when given, is called on
// that thread first: what it changes of the thread (its network namespace, its control group) the process inherits.
func start(binary, dir, name string, env, args []string, enter func() error) (*Process, error) {
	p := &Process{Name: name, LogPath: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.LogPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = attributes()
	started := make(chan error, 1)
	go func() {
		defer close(p.done)
		defer log.Close()
		runtime.LockOSThread()
		if enter == nil {
			defer runtime.UnlockOSThread()
		} else if err := enter(); err != nil { // the thread is not used again: it ends with this goroutine
			started <- err
			return
		}
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// PID gives the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Ended gives a channel that is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }

// Stop asks the process to drain and end, kills it after a limit, and says how it ended: nil only for exit code 0,
// and for what Kill ended.
func (p *Process) Stop() error {
	var forced bool
	p.stop.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		limit := time.NewTimer(drainWait)
		defer limit.Stop()
		select {
		case <-p.done:
		case <-limit.C:
			forced = true
			_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines into the log: they say what it waited for
			select {
			case <-p.done:
			case <-time.After(2 * time.Second):
				_ = p.cmd.Process.Kill()
			}
		}
	})
	<-p.done
	switch {
	case p.killed:
		return nil
	case forced:
		return fmt.Errorf("%s did not end within %s of SIGTERM\n%s", p.Name, drainWait, p.LogTail())
	case p.err != nil:
		return fmt.Errorf("%s ended with %w\n%s", p.Name, p.err, p.LogTail())
	}
	return nil
}

// Kill ends the process without warning and waits for it.
func (p *Process) Kill() {
	p.stop.Do(func() { p.killed = true; _ = p.cmd.Process.Kill() })
	<-p.done
}

// wasKilled reports whether Kill has ended the process.
func (p *Process) wasKilled() bool {
	select {
	case <-p.done:
		return p.killed
	default:
		return false
	}
}

// LogTail gives the end of the process's log.
func (p *Process) LogTail() string {
	data, err := os.ReadFile(p.LogPath)
	if err != nil {
		return err.Error()
	}
	if len(data) > logTailBytes {
		data = data[len(data)-logTailBytes:]
	}
	return strings.TrimSpace("--- log of " + p.Name + "\n" + string(data))
}

// WaitLog waits until the log's end holds a text.
func (p *Process) WaitLog(ctx context.Context, text string) error {
	return poll(ctx, func() error {
		if tail := p.LogTail(); !strings.Contains(tail, text) {
			return fmt.Errorf("%q is not in the %s", text, tail)
		}
		return nil
	})
}

// waitReady polls /readyz until it answers 200, the process ends, or ctx does.
func (p *Process) waitReady(ctx context.Context) error {
	var last error
	for {
		if last = get(ctx, "http://"+p.HTTP+"/readyz", nil); last == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: %w\n%s", p.Name, errors.Join(p.err, last), p.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %w\n%s", p.Name, ctx.Err(), last, p.LogTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
