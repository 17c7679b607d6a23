package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	quic "github.com/lucas-clemente/quic-go"
)

// A query for NAME A with its length before it, as on a stream. name: labels with a dot between them.
func framedQuery(name string) []byte {
	message := []byte{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	label := len(message)
	message = append(message, 0)
	for _, c := range []byte(name) {
		if c == '.' {
			label = len(message)
			message = append(message, 0)
			continue
		}
		message = append(message, c)
		message[label]++
	}
	message = append(message, 0, 0, 1, 0, 1)
	return append([]byte{byte(len(message) >> 8), byte(len(message))}, message...)
}

// Whether a stream has one whole answer to the query, and nothing else.
func isAnswerTo(query, framed []byte) bool {
	if len(framed) < len(query) || int(binary.BigEndian.Uint16(framed)) != len(framed)-2 {
		return false
	}
	isResponse := framed[4]&0x80 != 0 && framed[5]&0x0f == 0
	isSame := string(framed[14:len(query)]) == string(query[14:])
	return isResponse && isSame && framed[2] == 0 && framed[3] == 0 && binary.BigEndian.Uint16(framed[8:]) >= 1
}

func ask(c quic.Connection, name string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// It waits while all streams are used.
	stream, err := c.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	stream.SetDeadline(time.Now().Add(limit))
	query := framedQuery(name)
	if _, err := stream.Write(query); err != nil {
		return err
	}
	stream.Close()
	answer, err := io.ReadAll(stream)
	if err != nil {
		stream.CancelRead(3)
		return err
	}
	if !isAnswerTo(query, answer) {
		return fmt.Errorf("no answer to %s: %x", name, answer)
	}
	return nil
}

// Asks for `Count` names, `Parallel` of them at once.
func (c *connection) askMany(r request) answer {
	var mutex sync.Mutex
	var workers sync.WaitGroup
	answered, next := 0, 0
	failed := []string{}
	for i := 0; i < r.Parallel; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				mutex.Lock()
				one := next
				next++
				mutex.Unlock()
				if one >= r.Count {
					return
				}
				err := ask(c.Connection, fmt.Sprintf("%s%d.other.example", r.Prefix, one), time.Duration(r.Ms)*time.Millisecond)
				mutex.Lock()
				if err == nil {
					answered++
				} else {
					failed = append(failed, err.Error())
				}
				mutex.Unlock()
			}
		}()
	}
	workers.Wait()
	return answer{"answered": answered, "failed": failed}
}

// A client that asks one query after the other, and connects again when its connection does not answer.
type flow struct {
	mutex                        sync.Mutex
	answered, connected, repeats int
	last                         time.Time
	gap                          time.Duration
	ended, stopped               chan struct{}
}

const flowPause = 5 * time.Millisecond
const flowPatience = 500 * time.Millisecond

func (p *peer) beginFlow(r request) *flow {
	f := &flow{last: time.Now(), ended: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(f.stopped)
		var c *connection
		for serial := 0; !f.isEnded(); {
			if c == nil {
				var err error
				if c, err = p.dial(r, flowPatience); err != nil {
					continue
				}
				f.note(func() { f.connected++ })
			}
			if err := ask(c.Connection, fmt.Sprintf("%s%d.other.example", r.Prefix, serial), flowPatience); err != nil {
				c.end(0)
				c = nil
				f.note(func() { f.repeats++ })
				continue
			}
			serial++
			f.note(func() {
				f.answered++
				now := time.Now()
				if gap := now.Sub(f.last); gap > f.gap {
					f.gap = gap
				}
				f.last = now
			})
			time.Sleep(flowPause)
		}
		if c != nil {
			c.end(0)
		}
	}()
	return f
}

func (f *flow) isEnded() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

func (f *flow) note(change func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	change()
}

func (f *flow) report() answer {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return answer{"answered": f.answered, "connected": f.connected, "repeats": f.repeats, "longest_gap_ms": f.gap.Milliseconds()}
}

func (f *flow) end() {
	close(f.ended)
	<-f.stopped
}
