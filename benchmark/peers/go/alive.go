// SPDX-License-Identifier: BSL-1.0
// Many goroutines alive at once: all are started, each runs until it waits at a gate, the gate opens,
// and all end and are awaited. What is counted is one goroutine of such a round: the first of the
// process, or, with --warm 1, later ones. Stacks grow, and have no guard pages.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	fibers := int(argument("--fibers", 100000))
	warm := argument("--warm", 0) != 0
	rounds := 0
	goRound := func() {
		gate := make(chan struct{})
		come, passed := 0, 0
		var ended sync.WaitGroup
		ended.Add(fibers)
		for i := 0; i < fibers; i++ {
			go func() {
				come++
				<-gate
				passed++
				ended.Done()
			}()
		}
		for come < fibers {
			runtime.Gosched()
		}
		require(passed == 0, "a goroutine has passed the gate")
		close(gate)
		ended.Wait()
		require(passed == fibers, "a goroutine has not passed the gate")
		rounds++
	}
	var ns float64
	if warm {
		goRound()
		ns = count(fibers, goRound)
	} else {
		window := openWindow(0)
		goRound()
		window.isOpen()
		ns = window.spent / float64(fibers)
	}
	report(ns, "ns", fmt.Sprintf("%d rounds of %d goroutines, each at the gate and past it",
		rounds, fibers), map[string]interface{}{"note": "stacks that grow, no guard pages"})
}
