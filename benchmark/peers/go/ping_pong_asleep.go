// SPDX-License-Identifier: BSL-1.0
// Ping-pong between goroutines of two threads, each pinned to a core of its own and asleep whenever
// the other one runs. What is counted is the time of a round trip: two wake-ups across threads.
package main

import (
	"fmt"
	"math/bits"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// coresOfThread returns the set of the cores that the calling thread may run on.
func coresOfThread() uint64 {
	var set [16]uint64
	_, _, err := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set),
		uintptr(unsafe.Pointer(&set)))
	require(err == 0, "the cores are not known")
	return set[0]
}

// pinThisThread pins the calling goroutine to a thread of its own, and that to one of the cores.
func pinThisThread(cores uint64, which int) {
	runtime.LockOSThread()
	for ; which > 0; which-- {
		cores &= cores - 1
	}
	require(cores != 0, "there are too few cores")
	set := [16]uint64{1 << bits.TrailingZeros64(cores)}
	_, _, err := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set),
		uintptr(unsafe.Pointer(&set)))
	require(err == 0, "a core cannot be had")
}

func main() {
	cores := coresOfThread()
	pings, pongs := make(chan int), make(chan int)
	ended := make(chan struct{})
	go func() {
		pinThisThread(cores, 1)
		for ping := range pings {
			pongs <- ping + 1
		}
		close(ended)
	}()
	pinThisThread(cores, 0)
	rounds := 0
	start := time.Now()
	length := 1e9 * argument("--seconds", 1)
	for since(start) < length {
		pings <- rounds
		rounds++
		require(<-pongs == rounds, "an answer is wrong")
	}
	spent := since(start)
	close(pings)
	<-ended
	report(spent/float64(rounds)/1e3, "us", fmt.Sprintf("%d answers by another thread", rounds), nil)
}
