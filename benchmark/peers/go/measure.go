// SPDX-License-Identifier: BSL-1.0
// What measure.h is to the programs in C and C++.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// argument returns the number that follows name ("--fibers") on the command line, or otherwise.
func argument(name string, otherwise float64) float64 {
	for i := 1; i+1 < len(os.Args); i++ {
		if os.Args[i] == name {
			number, err := strconv.ParseFloat(os.Args[i+1], 64)
			require(err == nil, name+" is no number")
			return number
		}
	}
	return otherwise
}

// require ends the program with a message unless the result is what it must be.
func require(holds bool, message string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "wrong result:", message)
		os.Exit(1)
	}
}

// cpuNs returns the processor time of all threads of this process, in nanoseconds.
func cpuNs() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// window is a stretch of processor time that work is counted in.
type window struct {
	start, length, spent float64
}

func openWindow(seconds float64) window {
	return window{start: cpuNs(), length: 1e9 * seconds}
}

func (w *window) isOpen() bool {
	w.spent = cpuNs() - w.start
	return w.spent < w.length
}

// since returns the nanoseconds that have passed since start.
func since(start time.Time) float64 {
	return float64(time.Since(start).Nanoseconds())
}

// report prints the one line that the suite reads.
func report(value float64, unit string, checked string, further map[string]interface{}) {
	line := map[string]interface{}{"value": value, "unit": unit, "checked": checked}
	for key, number := range further {
		line[key] = number
	}
	require(json.NewEncoder(os.Stdout).Encode(line) == nil, "the result cannot be printed")
}

// count does batches of work until seconds of processor time are spent on them, after one that does
// not count; it returns the nanoseconds of one piece of work, of which a batch has so many.
func count(pieces int, batch func()) float64 {
	batch()
	batches := 0
	window := openWindow(argument("--seconds", 1))
	for {
		batch()
		batches++
		if !window.isOpen() {
			return window.spent / float64(batches*pieces)
		}
	}
}
