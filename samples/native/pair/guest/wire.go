package main

import "encoding/binary"

// FlatBuffers of the schema of samples/calls, written and read in place; wire.hpp says more.

const (
	invert = 0
	meet   = 1

	maxBytes = 8192 + 64
	mixer    = 0x9E3779B97F4A7C15
)

// table is the root of a message. Whatever is out of the message's bounds is a panic, which ends the guest.
type table struct {
	data   []byte
	at     int
	vtable int
}

func root(data []byte) table {
	at := int(binary.LittleEndian.Uint32(data))
	return table{data, at, at - int(int32(binary.LittleEndian.Uint32(data[at:])))}
}

// place is where a field is, from the table on; 0 when it is not there.
func (t table) place(number int) int {
	entry := 4 + 2*number
	if entry >= int(binary.LittleEndian.Uint16(t.data[t.vtable:])) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(t.data[t.vtable+entry:]))
}

func (t table) id() uint64 {
	if place := t.place(0); place != 0 {
		return binary.LittleEndian.Uint64(t.data[t.at+place:])
	}
	return 0
}

func (t table) byteAt(number int) byte {
	if place := t.place(number); place != 0 {
		return t.data[t.at+place]
	}
	return 0
}

func (t table) int(number int) int32 {
	if place := t.place(number); place != 0 {
		return int32(binary.LittleEndian.Uint32(t.data[t.at+place:]))
	}
	return 0
}

// bytes is a vector of bytes, not a copy.
func (t table) bytes(number int) []byte {
	place := t.place(number)
	if place == 0 {
		return nil
	}
	vector := t.at + place + int(binary.LittleEndian.Uint32(t.data[t.at+place:]))
	count := int(binary.LittleEndian.Uint32(t.data[vector:]))
	return t.data[vector+4 : vector+4+count]
}

// writeAsk writes a request that is to be inverted; the message's length.
func writeAsk(room []byte, id uint64) int {
	length := payloadLength(id)
	header(room, []uint16{12, 24, 8, 20, 16, 4}, 20, id)
	binary.LittleEndian.PutUint32(room[32:], 0)
	binary.LittleEndian.PutUint32(room[36:], invert)
	binary.LittleEndian.PutUint32(room[40:], uint32(length))
	for i := 0; i < length; i++ {
		room[44+i] = payloadByte(id, i)
	}
	return 44 + length
}

// writeAnswer writes the answer to a request: its payload with each byte inverted; the message's length.
func writeAnswer(room []byte, id uint64, inside int32, asked []byte) int {
	header(room, []uint16{10, 20, 8, 16, 4, 0}, 16, id)
	binary.LittleEndian.PutUint32(room[32:], uint32(inside))
	binary.LittleEndian.PutUint32(room[36:], uint32(len(asked)))
	for i, each := range asked {
		room[40+i] = ^each
	}
	return 40 + len(asked)
}

// header writes what stands before the other fields: the vtable, and the distances to table and vector.
func header(room []byte, vtable []uint16, toVector uint32, id uint64) {
	binary.LittleEndian.PutUint32(room, 16)
	for i, each := range vtable {
		binary.LittleEndian.PutUint16(room[4+2*i:], each)
	}
	binary.LittleEndian.PutUint32(room[16:], 12)
	binary.LittleEndian.PutUint32(room[20:], toVector)
	binary.LittleEndian.PutUint64(room[24:], id)
}

func payloadLength(id uint64) int {
	mixed := id * mixer
	most := uint64(1) << ((mixed >> 40) % 13)
	return int(most - 1 + (mixed>>50)&(most-1))
}

func payloadByte(id uint64, index int) byte {
	return byte((id + uint64(index)) * mixer >> 56)
}

// isRight says whether a payload is that of a request, or with flip 255, of its answer.
func isRight(payload []byte, id uint64, flip byte) bool {
	right := len(payload) == payloadLength(id)
	for i := 0; right && i < len(payload); i++ {
		right = payload[i] == payloadByte(id, i)^flip
	}
	return right
}

type figures struct {
	calls, right                     uint32
	bytes, nanos, p50Nanos, p99Nanos int64
}

// report is the record of samples/calls that answers an order.
func report(received, intact int64, made figures) [56]byte {
	var report [56]byte
	both := int64(made.right)<<32 | int64(made.calls)
	for i, each := range []int64{received, intact, both, made.bytes, made.nanos, made.p50Nanos, made.p99Nanos} {
		binary.LittleEndian.PutUint64(report[8*i:], uint64(each))
	}
	return report
}
