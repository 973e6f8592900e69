// SPDX-License-Identifier: BSL-1.0
// A tree of goroutines, ten children each, with a million leaves: each leaf gives its number, each
// other node the sum of its children, through a channel. What is counted is the time of the whole
// tree; with --threads 2, on as many Ps.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func sumUp(result chan<- int, first, size int) {
	if size == 1 {
		result <- first
		return
	}
	const children = 10
	results := make(chan int, children)
	for i := 0; i < children; i++ {
		go sumUp(results, first+i*size/children, size/children)
	}
	sum := 0
	for i := 0; i < children; i++ {
		sum += <-results
	}
	result <- sum
}

func main() {
	threads := int(argument("--threads", 1))
	runtime.GOMAXPROCS(threads)
	leaves := int(argument("--leaves", 1000000))
	result := make(chan int, 1)
	start, cpu := time.Now(), cpuNs()
	sumUp(result, 0, leaves)
	spent := cpuNs() - cpu
	if threads > 1 {
		spent = since(start)
	}
	sum := <-result
	require(sum == leaves*(leaves-1)/2, "the sum is wrong")
	report(spent/1e6, "ms", fmt.Sprintf("the sum of %d leaves: %d", leaves, sum), nil)
}
