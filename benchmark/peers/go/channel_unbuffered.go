// SPDX-License-Identifier: BSL-1.0
// A question and its answer through two channels without a buffer. What is counted is both.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	questions, answers := make(chan int), make(chan int)
	go func() {
		for question := range questions {
			answers <- question + 1
		}
	}()
	const batch = 10000
	asked, sum := 0, 0
	ns := count(batch, func() {
		for i := 0; i < batch; i++ {
			questions <- asked
			asked++
			sum += <-answers
		}
	})
	require(sum == asked*(asked+1)/2, "an answer is wrong")
	report(ns, "ns", fmt.Sprintf("the sum of %d answers", asked), nil)
}
