// SPDX-License-Identifier: BSL-1.0
// A stream of messages through a channel with a buffer. What is counted is one message.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	messages := make(chan int, int(argument("--capacity", 128)))
	received := make(chan int)
	go func() {
		number := 0
		for message := range messages {
			require(message == number, "a message is out of order")
			number++
		}
		received <- number
	}()
	const batch = 100000
	sent := 0
	ns := count(batch, func() {
		for i := 0; i < batch; i++ {
			messages <- sent
			sent++
		}
	})
	close(messages)
	require(<-received == sent, "a message was lost")
	report(ns, "ns", fmt.Sprintf("the order of %d messages", sent), nil)
}
