// A guest in Go, for the host in C++ beside it or the one in Java of samples/calls. It answers the host's calls in each
// of its workers, and calls the host itself when it is ordered to.
//
//	guest [-w WORKERS] SEGMENT
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../include
#cgo LDFLAGS: -L${SRCDIR}/../../build -lbywash -lpthread
#include "bywash.h"
#include <stdlib.h>
*/
import "C"

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync/atomic"
	"time"
	"unsafe"
)

const (
	timeout  = 60 * time.Second
	inFlight = 32
)

var received, intact, inside, mostInside int64

// must ends the guest with the library's error; else it returns the result. The calling goroutine is locked to its
// thread, since the text of an error belongs to a thread.
func must(result C.int) int {
	if result < 0 {
		fmt.Fprintln(os.Stderr, "guest:", C.GoString(C.bywash_error()))
		os.Exit(1)
	}
	return int(result)
}

// bytes is shared memory, not a copy.
func bytes(data unsafe.Pointer, length int) []byte { return unsafe.Slice((*byte)(data), length) }

// ---- answering

func respond(segment *C.bywash_segment, entry string) *C.bywash_responder {
	name := C.CString(entry)
	defer C.free(unsafe.Pointer(name))
	var responder *C.bywash_responder
	must(C.bywash_responder_open(segment, name, nil, &responder))
	return responder
}

// work answers requests until the guest ends. Each worker has a role of its own.
func work(segment *C.bywash_segment, over *int32, done chan<- bool) {
	runtime.LockOSThread()
	responder := respond(segment, "guest")
	var request C.bywash_request
	for atomic.LoadInt32(over) == 0 {
		if must(C.bywash_request_next(responder, &request, C.int64_t(100*time.Millisecond))) == 1 {
			answer(responder, &request)
		}
	}
	C.bywash_responder_close(responder)
	done <- true
}

func answer(responder *C.bywash_responder, request *C.bywash_request) {
	ask := root(bytes(request.data, int(request.length)))
	payload := ask.bytes(3)
	together := int32(0)
	switch ask.byteAt(1) {
	case invert:
		atomic.AddInt64(&received, 1)
		if isRight(payload, ask.id(), 0) {
			atomic.AddInt64(&intact, 1)
		}
	case meet:
		together = meetOthers(responder, request, int64(ask.int(2)))
	default:
		name, message := C.CString("guest.Unsupported"), C.CString(fmt.Sprintf("request %d is one that fails", ask.id()))
		must(C.bywash_request_fail(responder, request, name, message))
		C.free(unsafe.Pointer(name))
		C.free(unsafe.Pointer(message))
		return
	}
	var place unsafe.Pointer
	must(C.bywash_request_claim(responder, request, &place))
	length := writeAnswer(bytes(place, maxBytes), ask.id(), together, payload)
	must(C.bywash_request_commit(responder, request, 0, C.int64_t(length), 0)) // 0 when it is too late
}

// meetOthers stays until so many requests are inside the handler, or the caller has given up; how many were.
func meetOthers(responder *C.bywash_responder, request *C.bywash_request, together int64) int32 {
	now := atomic.AddInt64(&inside, 1)
	for most := atomic.LoadInt64(&mostInside); most < now; most = atomic.LoadInt64(&mostInside) {
		atomic.CompareAndSwapInt64(&mostInside, most, now)
	}
	for atomic.LoadInt64(&mostInside) < together && must(C.bywash_request_is_cancelled(responder, request)) == 0 {
		time.Sleep(time.Millisecond)
	}
	atomic.AddInt64(&inside, -1)
	return int32(atomic.LoadInt64(&mostInside))
}

type sent struct {
	id    uint64
	since time.Time
}

// call makes so many calls of the host, with so many of them in flight at one time, and checks each answer.
func call(host *C.bywash_caller, first uint64, calls int) figures {
	result := figures{calls: uint32(calls)}
	flying := map[C.int64_t]sent{}
	var latencies []int64
	var reply C.bywash_reply
	start := time.Now()
	for next := 0; len(latencies) < calls; {
		for next < calls && len(flying) < inFlight {
			var place unsafe.Pointer
			if must(C.bywash_call_claim(host, &place)) == 0 {
				break
			}
			id, now := first+uint64(next), time.Now()
			length := writeAsk(bytes(place, maxBytes), id)
			var number C.int64_t
			must(C.bywash_call_commit(host, 0, C.int64_t(length), 0, C.int64_t(timeout), &number))
			flying[number] = sent{id, now}
			next++
		}
		if must(C.bywash_call_next(host, C.int64_t(timeout), &reply)) == 0 || reply.outcome != C.BYWASH_REPLIED {
			must(-1)
		}
		was := flying[reply.number]
		delete(flying, reply.number)
		got := root(bytes(reply.data, int(reply.length)))
		if got.id() == was.id && isRight(got.bytes(2), was.id, 255) {
			result.right++
		}
		result.bytes += int64(2 * payloadLength(was.id))
		latencies = append(latencies, time.Since(was.since).Nanoseconds())
	}
	result.nanos = time.Since(start).Nanoseconds()
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	if len(latencies) > 0 {
		result.p50Nanos, result.p99Nanos = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	}
	return result
}

// obey carries out the host's orders, and answers each when it is done; the records are those of samples/calls.
func obey(segment *C.bywash_segment) {
	name := C.CString("host")
	defer C.free(unsafe.Pointer(name))
	var host *C.bywash_caller
	must(C.bywash_caller_open(segment, name, nil, &host))
	orders := respond(segment, "orders")
	var request C.bywash_request
	for id, isLast := uint64(0), false; !isLast; {
		if must(C.bywash_request_next(orders, &request, C.int64_t(time.Second))) == 0 {
			continue
		}
		order := bytes(request.data, int(request.length))
		calls := int(int32(binary.LittleEndian.Uint32(order)))
		isLast = order[4] != 0
		made := call(host, id, calls)
		report := report(atomic.LoadInt64(&received), atomic.LoadInt64(&intact), made)
		id += uint64(calls)
		must(C.bywash_request_reply(orders, &request, unsafe.Pointer(&report[0]), C.int64_t(len(report)), 2))
	}
	C.bywash_responder_close(orders)
	C.bywash_caller_close(host)
}

func main() {
	runtime.LockOSThread()
	workers := flag.Int("w", 4, "how many requests are handled at one time, 1 to 8")
	flag.Parse()
	if flag.NArg() != 1 || *workers < 1 || *workers > 8 {
		fmt.Fprintln(os.Stderr, "usage: guest [-w WORKERS] SEGMENT")
		os.Exit(2)
	}
	name := C.CString(flag.Arg(0))
	var segment *C.bywash_segment
	must(C.bywash_attach(name, C.int64_t(timeout), &segment))
	over, done := int32(0), make(chan bool)
	for i := 0; i < *workers; i++ {
		go work(segment, &over, done)
	}
	obey(segment)
	atomic.StoreInt32(&over, 1)
	for i := 0; i < *workers; i++ {
		<-done
	}
	must(C.bywash_close(segment))
}
