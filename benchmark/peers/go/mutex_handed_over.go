// SPDX-License-Identifier: BSL-1.0
// Two goroutines that pass a mutex to and fro: whenever it is unlocked the other one waits for it.
// What is counted is one change of hands. Whoever unlocks this mutex could lock it again before the
// other one runs, so each yields twice: with the mutex, until the other one waits, and without.
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
	turns, others := 0, 0
	takeTurn := func() {
		mutex.Lock()
		turns++
		runtime.Gosched()
		mutex.Unlock()
		runtime.Gosched()
	}
	go func() {
		for {
			takeTurn()
			others++
		}
	}()
	mine := 0
	takeTurns := func() {
		for i := 0; i < batch; i++ {
			takeTurn()
			mine++
		}
	}
	takeTurns()
	before := turns
	window := openWindow(argument("--seconds", 1))
	for {
		takeTurns()
		if !window.isOpen() {
			break
		}
	}
	// It is woken in turn all but always: the runtime has work of its own now and then.
	require(others > mine/2 && others < 2*mine, "the mutex was not handed over")
	report(window.spent/float64(turns-before), "ns",
		fmt.Sprintf("%d turns, of which the other goroutine took %d", turns, others), nil)
}
