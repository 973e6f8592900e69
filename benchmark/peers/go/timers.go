// SPDX-License-Identifier: BSL-1.0
// Many goroutines, each of which sleeps 1 to 100 ms, again and again. What is counted is the
// processor time of one wake-up, and how late it was; none may be early.
package main

import (
	"fmt"
	"runtime"
	"sort"
	"time"
)

func main() {
	runtime.GOMAXPROCS(1)
	sleepers := int(argument("--fibers", 10000))
	length := argument("--seconds", 1)
	late := make([]int64, 0, int(3e6*length)) // nanoseconds; its pages are touched as it fills
	counting := false
	for i := 0; i < sleepers; i++ {
		go func(random uint64) {
			for {
				random = random*6364136223846793005 + 1442695040888963407
				nap := time.Duration(1000000 + (random>>33)%99000000)
				start := time.Now()
				time.Sleep(nap)
				slept := time.Since(start)
				require(slept >= nap, "a goroutine woke early")
				if counting {
					late = append(late, int64(slept-nap))
				}
			}
		}(uint64(i))
	}
	time.Sleep(200 * time.Millisecond) // all sleep, out of step
	counting = true
	cpu, start := cpuNs(), time.Now()
	time.Sleep(time.Duration(1e9 * length))
	cpu, wall := cpuNs()-cpu, since(start)
	counting = false
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	wakes := len(late)
	require(wakes > 0, "nobody woke")
	report(cpu/float64(wakes)/1e3, "us",
		fmt.Sprintf("%d wake-ups of %d sleepers, none early", wakes, sleepers),
		map[string]interface{}{
			"late_p50_us": float64(late[wakes/2]) / 1e3,
			"late_p99_us": float64(late[wakes*99/100]) / 1e3,
			"kept_up":     float64(wakes) / (float64(sleepers) * wall / 50.5e6),
		})
}
