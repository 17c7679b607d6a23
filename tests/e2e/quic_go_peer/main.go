// A client and a server (serve.go) of DNS over QUIC for tests, with another library than ours. The client does what it is told on its standard
// input, also what no client may do: a line of JSON in, a line of JSON out. quic_peer.py has its other end.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	quic "github.com/lucas-clemente/quic-go"
	"github.com/lucas-clemente/quic-go/http3"
	"github.com/lucas-clemente/quic-go/internal/handshake"
	"github.com/lucas-clemente/quic-go/logging"
)

type request struct {
	Do         string
	Connection int
	Stream     int64
	Hex        string
	Fin        bool
	Code       uint64
	Ms         int
	Protocols  []string
	Local      string
	Every      uint64 // packets
	Versions   []quic.VersionNumber
	Count      int
	Parallel   int
	Prefix     string
	Method     string
	Path       string
	Headers    map[string]string
	Early      bool // do not wait for the handshake
	Hold       bool // send nothing before "release"
}

type answer map[string]interface{}

// How a stream or a connection ended.
func describe(err error) answer {
	var application *quic.ApplicationError
	var transport *quic.TransportError
	var stream *quic.StreamError
	var reset *quic.StatelessResetError
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	switch {
	case errors.Is(err, io.EOF):
		return answer{"end": "fin"}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return answer{"end": "none"}
	case errors.As(err, &stream):
		return answer{"end": "stream", "code": stream.ErrorCode}
	case errors.As(err, &application):
		return answer{"end": "application", "code": application.ErrorCode, "remote": application.Remote}
	case errors.As(err, &transport):
		return answer{"end": "transport", "code": transport.ErrorCode, "remote": transport.Remote}
	case errors.As(err, &reset):
		return answer{"end": "stateless_reset"}
	case errors.As(err, &idle), errors.As(err, &handshake):
		return answer{"end": "timeout"}
	}
	return answer{"end": "error", "error": err.Error()}
}

type connection struct {
	quic.Connection
	socket *movableSocket
	sends  map[int64]quic.SendStream
	reads  map[int64]quic.ReceiveStream
	closed chan error
}

type peer struct {
	server      *net.UDPAddr
	tls         *tls.Config
	tokens      quic.TokenStore
	connections []*connection
	flow        *flow
	http        *http3.RoundTripper
}

// Counts what the library tells only to its tracers.
type tracer struct{ logging.NullTracer }
type connectionTracer struct{ logging.NullConnectionTracer }

var keyUpdates int64

func (tracer) TracerForConnection(context.Context, logging.Perspective, logging.ConnectionID) logging.ConnectionTracer {
	return connectionTracer{}
}
func (connectionTracer) UpdatedKey(logging.KeyPhase, bool) { atomic.AddInt64(&keyUpdates, 1) }

func (p *peer) dial(r request, limit time.Duration) (*connection, error) {
	socket, err := newMovableSocket(r.Local)
	if err != nil {
		return nil, err
	}
	config := p.tls.Clone()
	config.NextProtos = r.Protocols
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	how := &quic.Config{TokenStore: p.tokens, Versions: r.Versions, HandshakeIdleTimeout: limit, MaxIdleTimeout: time.Minute,
		Tracer: tracer{}}
	var made quic.Connection
	if r.Hold {
		socket.hold()
	}
	if r.Early {
		made, err = quic.DialEarlyContext(ctx, socket, p.server, p.tls.ServerName, config, how)
	} else {
		made, err = quic.DialContext(ctx, socket, p.server, p.tls.ServerName, config, how)
	}
	if err != nil {
		socket.Close()
		return nil, err
	}
	c := &connection{made, socket, map[int64]quic.SendStream{}, map[int64]quic.ReceiveStream{}, make(chan error, 1)}
	go func() {
		_, err := made.AcceptStream(context.Background())
		c.closed <- err
	}()
	return c, nil
}

func (c *connection) end(code uint64) {
	c.CloseWithError(quic.ApplicationErrorCode(code), "")
	c.socket.Close()
}

func (p *peer) do(r request) answer {
	limit := time.Duration(r.Ms) * time.Millisecond
	switch r.Do {
	case "connect":
		c, err := p.dial(r, limit)
		if err != nil {
			return describe(err)
		}
		p.connections = append(p.connections, c)
		if r.Early { // its state is known after the handshake
			return answer{"connection": len(p.connections) - 1, "resumed": false}
		}
		return answer{"connection": len(p.connections) - 1, "resumed": c.ConnectionState().TLS.DidResume,
			"protocol": c.ConnectionState().TLS.NegotiatedProtocol}
	case "fetch":
		return p.fetch(r)
	case "key_updates":
		handshake.KeyUpdateInterval = r.Every
		return answer{}
	case "count_key_updates":
		return answer{"count": atomic.LoadInt64(&keyUpdates)}
	case "begin_flow":
		p.flow = p.beginFlow(r)
		return answer{}
	case "flow":
		return p.flow.report()
	case "end_flow":
		p.flow.end()
		return p.flow.report()
	}
	c := p.connections[r.Connection]
	switch r.Do {
	case "open":
		s, err := c.OpenStream()
		if err != nil {
			return describe(err)
		}
		id := int64(s.StreamID())
		c.sends[id], c.reads[id] = s, s
		return answer{"stream": id}
	case "write":
		bytes, err := hex.DecodeString(r.Hex)
		s := c.sends[r.Stream]
		s.SetWriteDeadline(time.Now().Add(limit))
		if err == nil && len(bytes) > 0 {
			_, err = s.Write(bytes)
		}
		if err == nil && r.Fin {
			err = s.Close()
		}
		if err != nil {
			return describe(err)
		}
		return answer{"end": "done"}
	case "read":
		s := c.reads[r.Stream]
		s.SetReadDeadline(time.Now().Add(limit))
		bytes, err := io.ReadAll(s)
		if err == nil {
			err = io.EOF
		}
		done := describe(err)
		done["hex"] = hex.EncodeToString(bytes)
		return done
	case "cancel_write":
		c.sends[r.Stream].CancelWrite(quic.StreamErrorCode(r.Code))
	case "cancel_read":
		c.reads[r.Stream].CancelRead(quic.StreamErrorCode(r.Code))
	case "frames":
		bytes, err := hex.DecodeString(r.Hex)
		if err != nil {
			return describe(err)
		}
		quic.SendRaw(c.Connection, bytes)
	case "release":
		return answer{"datagrams": c.socket.release()}
	case "used_early":
		return answer{"early": c.ConnectionState().TLS.Used0RTT}
	case "closed":
		select {
		case err := <-c.closed:
			c.closed <- err
			return describe(err)
		case <-time.After(limit):
			return answer{"end": "none"}
		}
	case "move":
		if err := c.socket.move(r.Local); err != nil {
			return describe(err)
		}
	case "ask":
		return c.askMany(r)
	case "close":
		c.end(r.Code)
	default:
		return answer{"end": "error", "error": "unknown: " + r.Do}
	}
	return answer{}
}

func main() {
	if len(os.Args) >= 7 && os.Args[1] == "serve" {
		panic(serve(os.Args[2:]))
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: quic_peer ADDRESS:PORT CA_FILE SERVER_NAME\n"+
			"       quic_peer serve doq|h3 ADDRESS:PORT CERTIFICATE KEY ANSWER")
		os.Exit(2)
	}
	server, err := net.ResolveUDPAddr("udp", os.Args[1])
	if err != nil {
		panic(err)
	}
	authority, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	p := peer{server: server, tokens: quic.NewLRUTokenStore(8, 8),
		tls: &tls.Config{RootCAs: trusted, ServerName: os.Args[3], ClientSessionCache: tls.NewLRUClientSessionCache(8)}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		line, _ := json.Marshal(p.do(r))
		fmt.Println(string(line))
	}
}
