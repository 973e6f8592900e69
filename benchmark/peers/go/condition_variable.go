// SPDX-License-Identifier: BSL-1.0
// Two goroutines that wake each other by a condition variable, and wait for their turn under its
// mutex. What is counted is one hand-over: a notification, a wait, and a switch.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	const batch = 10000
	var mutex sync.Mutex
	changed := sync.NewCond(&mutex)
	turn := 0
	go func() {
		mutex.Lock()
		for {
			for turn%2 == 0 {
				changed.Wait()
			}
			turn++
			changed.Signal()
		}
	}()
	mutex.Lock()
	turns := 0
	ns := count(2*batch, func() {
		for i := 0; i < batch; i++ {
			turn++
			changed.Signal()
			for turn%2 == 1 {
				changed.Wait()
			}
		}
		turns += 2 * batch
	})
	require(turn == turns, "a turn was lost")
	report(ns, "ns", fmt.Sprintf("%d turns, every other one by the same goroutine", turn), nil)
}
