// SPDX-License-Identifier: BSL-1.0
// A million goroutines that wait, each for itself: what they cost to start, in resident memory and in
// page tables, and what it takes to wake one. Stacks grow, and have no guard pages. The channels
// that they wait for are made before and not counted.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// memoryBytes returns a number of bytes from /proc/self/status.
func memoryBytes(what string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	require(err == nil, "/proc/self/status cannot be read")
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, what+":") {
			number, err := strconv.ParseFloat(strings.Fields(line)[1], 64)
			require(err == nil, line)
			return 1024 * number
		}
	}
	require(false, what+" is not in /proc/self/status")
	return 0
}

func main() {
	runtime.GOMAXPROCS(1)
	fibers := int(argument("--fibers", 1000000))
	queues := make([]chan struct{}, fibers)
	for i := range queues {
		queues[i] = make(chan struct{}, 1)
	}
	parked, wakes, asked := 0, 0, 0
	startUpTo := func(number int) {
		for i := parked; i < number; i++ {
			go func(mine chan struct{}) {
				for parked++; ; wakes++ {
					<-mine
				}
			}(queues[i])
		}
		for parked < number {
			runtime.Gosched()
		}
		runtime.Gosched()
	}
	wake := func(number int) {
		asked++
		queues[number] <- struct{}{}
		runtime.Gosched()
	}
	wakeEachAgainAndAgain := func(among int) float64 {
		const chosen, times = 100, 5000
		spent := 0.0
		for i := 0; i < chosen; i++ {
			number := i * 7919 * 104729 % among
			wake(number)
			start := cpuNs()
			for j := 0; j < times; j++ {
				wake(number)
			}
			spent += cpuNs() - start
		}
		return spent / (chosen * times)
	}
	startUpTo(10)
	ten := wakeEachAgainAndAgain(10)
	runtime.GC()
	resident, pageTables, cpu := memoryBytes("VmRSS"), memoryBytes("VmPTE"), cpuNs()
	startUpTo(fibers)
	started := float64(fibers - 10)
	spawn := (cpuNs() - cpu) / started / 1e3
	resident, pageTables = memoryBytes("VmRSS")-resident, memoryBytes("VmPTE")-pageTables
	one := wakeEachAgainAndAgain(fibers)
	const strangers = 100000
	cold := cpuNs()
	for i := 1; i <= strangers; i++ {
		wake(i * 7919 * 104729 % fibers)
	}
	cold = (cpuNs() - cold) / strangers
	for i := 0; i < 3; i++ { // whoever has been woken last runs
		runtime.Gosched()
	}
	require(wakes == asked, "a wake-up was lost")
	report(resident/started, "bytes", fmt.Sprintf("%d wake-ups among %d goroutines", wakes, parked),
		map[string]interface{}{
			"page_table_bytes": pageTables / started,
			"spawn_us":         spawn,
			"wake_ns":          one,
			"wake_ten_ns":      ten,
			"wake_ratio":       one / ten,
			"wake_cold_ns":     cold,
			"note":             "stacks that grow, no guard pages",
		})
}
