package main

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

type datagram struct {
	bytes []byte
	from  net.Addr
}

// A UDP socket that another one can replace, as when a phone changes its network. Datagrams to the old one are lost.
type movableSocket struct {
	mutex   sync.Mutex
	current *net.UDPConn
	holds   bool // what is sent waits for release()
	held    []datagram
	name    socketName
	arrived chan datagram
	ended   chan struct{}
}

// quic-go knows sockets by their addresses. Those of this program return to the kernel, which gives them to others.
type socketName int64

var sockets int64

func (n socketName) Network() string { return "movable" }
func (n socketName) String() string  { return fmt.Sprint(int64(n)) }

func newMovableSocket(local string) (*movableSocket, error) {
	s := &movableSocket{name: socketName(atomic.AddInt64(&sockets, 1)), arrived: make(chan datagram, 256), ended: make(chan struct{})}
	if err := s.move(local); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *movableSocket) move(local string) error {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(local)})
	if err != nil {
		return err
	}
	s.mutex.Lock()
	old := s.current
	s.current = socket
	s.mutex.Unlock()
	if old != nil {
		old.Close()
	}
	go func() {
		for {
			bytes := make([]byte, 2048)
			n, from, err := socket.ReadFrom(bytes)
			if err != nil {
				return
			}
			select {
			case s.arrived <- datagram{bytes[:n], from}:
			case <-s.ended:
				return
			}
		}
	}()
	return nil
}

func (s *movableSocket) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-s.arrived:
		return copy(p, d.bytes), d.from, nil
	case <-s.ended:
		return 0, nil, net.ErrClosed
	}
}

func (s *movableSocket) WriteTo(p []byte, to net.Addr) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.holds {
		s.held = append(s.held, datagram{append([]byte{}, p...), to})
		return len(p), nil
	}
	n, err := s.current.WriteTo(p, to)
	if err != nil {
		return len(p), nil // lost, as on the way
	}
	return n, nil
}

func (s *movableSocket) hold() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.holds = true
}

func (s *movableSocket) holdsEarlyData() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, d := range s.held {
		if d.bytes[0]&0xf0 == 0xd0 { // RFC 9000 17.2.3
			return true
		}
	}
	return !s.holds
}

// Sends what was held, once early data is among it; how many datagrams. (In one datagram with the handshake, it is not
// seen: then after a second.)
func (s *movableSocket) release() int {
	for until := time.Now().Add(time.Second); !s.holdsEarlyData() && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.holds = false
	for _, d := range s.held {
		s.current.WriteTo(d.bytes, d.from)
	}
	return len(s.held)
}

func (s *movableSocket) Close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
	return s.current.Close()
}

func (s *movableSocket) LocalAddr() net.Addr              { return s.name }
func (s *movableSocket) SetDeadline(time.Time) error      { return nil }
func (s *movableSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *movableSocket) SetWriteDeadline(time.Time) error { return nil }
