// SPDX-License-Identifier: BSL-1.0
// A mutex that nobody else wants. What is counted is one lock and its unlock.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	runtime.GOMAXPROCS(1)
	const batch = 100000
	var mutex sync.Mutex
	guarded := 0
	ns := count(batch, func() {
		for i := 0; i < batch; i++ {
			mutex.Lock()
			guarded++
			mutex.Unlock()
		}
	})
	require(guarded%batch == 0 && mutex.TryLock(), "the mutex is still locked")
	report(ns, "ns", fmt.Sprintf("%d times locked, and free at the end", guarded), nil)
}
