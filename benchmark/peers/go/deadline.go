// SPDX-License-Identifier: BSL-1.0
// A deadline that does not fire, armed and cancelled while a million others are armed: a timer that
// is made and stopped. A context.WithTimeout() is made on top of one, and costs more.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	runtime.GOMAXPROCS(1)
	armed := int(argument("--armed", 1000000))
	const batch = 10000
	fired, stopped, times := 0, 0, 0
	others := make([]*time.Timer, armed)
	for i := range others {
		others[i] = time.AfterFunc(time.Hour+time.Duration(i)*3*time.Millisecond, func() { fired++ })
	}
	ns := count(batch, func() {
		for i := 0; i < batch; i++ {
			timer := time.NewTimer(30*time.Minute + time.Duration(i)*time.Millisecond)
			if timer.Stop() {
				stopped++
			}
			times++
		}
	})
	require(stopped == times && fired == 0, "a deadline has fired")
	report(ns, "ns", fmt.Sprintf("%d deadlines cancelled, and %d armed", stopped, armed-fired), nil)
	runtime.KeepAlive(others)
}
