package flightx

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

const (
	// bufferOverheadBytes is what a buffer costs beside its bytes: padding to 64 bytes and its entry in the message header.
	bufferOverheadBytes = 64 + 16
	// messageOverheadBytes covers the header's fixed part and the protobuf framing.
	messageOverheadBytes = 512
)

// BatchBytes estimates the serialised size of a batch as one IPC message, from above. It counts what a slice really refers
// to, not the buffers it shares.
func BatchBytes(batch arrow.RecordBatch) int64 { return rowsBytes(batch, 0, batch.NumRows()) }

// rowsBytes estimates rows [from, to) of a batch as one message.
func rowsBytes(batch arrow.RecordBatch, from, to int64) int64 {
	total := int64(messageOverheadBytes)
	for _, column := range batch.Columns() {
		total += dataBytes(column.Data(), from, to)
	}
	return total
}

// dataBytes estimates rows [from, to) of one array, counted from the array's own offset.
func dataBytes(d arrow.ArrayData, from, to int64) int64 {
	if from >= to {
		return 4 * bufferOverheadBytes
	}
	rows := to - from
	total := bitBytes(rows) + bufferOverheadBytes // validity
	from, to = from+int64(d.Offset()), to+int64(d.Offset())
	switch t := d.DataType().(type) {
	case arrow.ExtensionType:
		return storageBytes(d, t, from-int64(d.Offset()), to-int64(d.Offset()))
	case *arrow.NullType:
		return bufferOverheadBytes
	case *arrow.BinaryType, *arrow.StringType:
		first, last := offsets32(d, from, to)
		return total + 4*(rows+1) + (last - first) + 2*bufferOverheadBytes
	case *arrow.LargeBinaryType, *arrow.LargeStringType:
		first, last := offsets64(d, from, to)
		return total + 8*(rows+1) + (last - first) + 2*bufferOverheadBytes
	case *arrow.ListType, *arrow.MapType:
		first, last := offsets32(d, from, to)
		return total + 4*(rows+1) + bufferOverheadBytes + dataBytes(d.Children()[0], first, last)
	case *arrow.LargeListType:
		first, last := offsets64(d, from, to)
		return total + 8*(rows+1) + bufferOverheadBytes + dataBytes(d.Children()[0], first, last)
	case *arrow.FixedSizeListType:
		n := int64(t.Len())
		return total + dataBytes(d.Children()[0], from*n, to*n)
	case *arrow.StructType:
		for _, child := range d.Children() {
			total += dataBytes(child, from, to)
		}
		return total
	case arrow.FixedWidthDataType:
		return total + bitBytes(rows*int64(t.BitWidth())) + bufferOverheadBytes
	}
	return total + rows*sharedBytesPerRow(d)
}

// storageBytes measures an extension array as its storage.
func storageBytes(d arrow.ArrayData, t arrow.ExtensionType, from, to int64) int64 {
	storage := array.NewData(t.StorageType(), d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	defer storage.Release()
	return dataBytes(storage, from, to)
}

// sharedBytesPerRow spreads all bytes of an array evenly over its rows: for layouts without a rule of their own (views,
// unions, run ends), which only pass between workers, where the limit leaves room.
func sharedBytesPerRow(d arrow.ArrayData) int64 {
	total := int64(0)
	for _, b := range d.Buffers() {
		if b != nil {
			total += int64(b.Len())
		}
	}
	for _, child := range d.Children() {
		total += int64(child.Len()) * sharedBytesPerRow(child)
	}
	return total/int64(max(d.Len(), 1)) + 1
}

func bitBytes(bits int64) int64 { return (bits + 7) / 8 }

func offsets32(d arrow.ArrayData, from, to int64) (first, last int64) {
	b := d.Buffers()[1]
	if b == nil || b.Len() == 0 {
		return 0, 0
	}
	offsets := arrow.Int32Traits.CastFromBytes(b.Bytes())
	return int64(offsets[from]), int64(offsets[to])
}

func offsets64(d arrow.ArrayData, from, to int64) (first, last int64) {
	b := d.Buffers()[1]
	if b == nil || b.Len() == 0 {
		return 0, 0
	}
	offsets := arrow.Int64Traits.CastFromBytes(b.Bytes())
	return offsets[from], offsets[to]
}

// sliceEnd returns the largest end such that rows [from, end) fit into maxBytes, and at least from+1.
func sliceEnd(batch arrow.RecordBatch, from, maxBytes int64) int64 {
	rows := batch.NumRows()
	if rowsBytes(batch, from, rows) <= maxBytes {
		return rows
	}
	fits, over := from+1, rows // [from, fits) is sent in any case; [from, over) is too large
	for over-fits > 1 {
		middle := fits + (over-fits)/2
		if rowsBytes(batch, from, middle) <= maxBytes {
			fits = middle
		} else {
			over = middle
		}
	}
	return fits
}
