// SPDX-License-Identifier: BSL-1.0
// A ring of goroutines that do nothing but yield, on one P. What is counted is one switch from a
// goroutine to the next.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func sum(numbers []int) int {
	total := 0
	for _, each := range numbers {
		total += each
	}
	return total
}

func main() {
	runtime.GOMAXPROCS(1)
	fibers := int(argument("--fibers", 2))
	turns := make([]int, fibers)
	stop := false
	var ended sync.WaitGroup
	for i := 1; i < fibers; i++ {
		ended.Add(1)
		go func(mine *int) {
			for !stop {
				*mine++
				runtime.Gosched()
			}
			ended.Done()
		}(&turns[i])
	}
	goRound := func(rounds int) {
		for i := 0; i < rounds; i++ {
			turns[0]++
			runtime.Gosched()
		}
	}
	batch := 100000/fibers + 1
	goRound(batch)
	before := sum(turns)
	window := openWindow(argument("--seconds", 1))
	for {
		goRound(batch)
		if !window.isOpen() {
			break
		}
	}
	switches := float64(sum(turns) - before)
	stop = true
	ended.Wait()
	// Some take more turns than others: the scheduler looks at its global queue now and then only.
	for _, mine := range turns {
		require(mine >= turns[0]/2-2, "a goroutine starved")
	}
	report(window.spent/switches, "ns",
		fmt.Sprintf("%d turns by %d goroutines", sum(turns), fibers), nil)
}
