// SPDX-License-Identifier: BSL-1.0
// A goroutine that counts one and ends, started and awaited, again and again.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	const batch = 1000
	spawned, ran := 0, 0
	var ended sync.WaitGroup
	ns := count(batch, func() {
		for i := 0; i < batch; i++ {
			spawned++
			ended.Add(1)
			go func() {
				ran++
				ended.Done()
			}()
			ended.Wait()
		}
	})
	require(ran == spawned, "a goroutine did not run")
	report(ns, "ns", fmt.Sprintf("%d goroutines have run", ran), nil)
}
