// Shutdown works until it gets a SIGTERM (or Ctrl-C), then finishes what it has
// accepted, but no longer than a deadline, and prints what became of everything.
//
//	go run ./examples/shutdown -deadline 1s & sleep 1; kill $!
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func main() {
	deadline := flag.Duration("deadline", time.Second, "how long the tasks that were accepted may take after the signal")
	after := flag.Duration("after", 0, "send the signal to ourselves after so long; 0: wait for it")
	flag.Parse()

	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := pool.New(pool.WithWorkers(2), pool.WithName("kitchen"))
	if err != nil {
		log.Fatal(err)
	}

	poll, cancelled := context.WithCancel(context.Background())
	cancelled() // a context that has ended makes Get a poll
	go func() {
		for i := 1; ; i++ { // orders come in until the pool is closed
			order := pool.ApplyAsync(context.Background(), p, cook, pool.WithTaskName(fmt.Sprint("order ", i)))
			if _, err := order.Get(poll); errors.Is(err, pool.ErrClosed) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	pool.ApplyAsync(context.Background(), p, soup, pool.WithTaskName("the soup"))
	if *after > 0 {
		time.AfterFunc(*after, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGTERM) })
	}

	fmt.Println("cooking; send a SIGTERM to stop")
	<-signalled.Done()
	fmt.Println("closing: no more orders, the rest within", *deadline)
	ctx, cancel := context.WithTimeout(context.Background(), *deadline)
	defer cancel()
	err = p.Shutdown(ctx)
	var unfinished *pool.UnfinishedError
	switch {
	case errors.As(err, &unfinished):
		fmt.Println("the deadline has passed:", unfinished.Report)
		for _, task := range unfinished.Report.Running {
			fmt.Printf("%s was here:\n%s\n", task.Name, task.Stack)
		}
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(p.Report())
	}
}

// cook takes a moment.
func cook(context.Context) (int, error) {
	time.Sleep(8 * time.Millisecond)
	return 1, nil
}

// soup takes long, and does not look at its context.
func soup(context.Context) (int, error) {
	time.Sleep(3 * time.Second)
	return 1, nil
}
