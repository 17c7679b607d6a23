// Servers of DNS over QUIC and over HTTP/3 for tests: each query for an A record has one answer.
package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"

	quic "github.com/lucas-clemente/quic-go"
	"github.com/lucas-clemente/quic-go/http3"
)

const headerBytes = 12

// The question alone, and one A record with TTL 300. nil: it is no query.
func answerTo(query []byte, address net.IP) []byte {
	end := headerBytes
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root, type and class
	if end > len(query) {
		return nil
	}
	out := append([]byte{}, query[:end]...)
	copy(out[2:], []byte{0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0})
	out = append(out, 0xc0, headerBytes, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4)
	return append(out, address.To4()...)
}

func serveDoq(local string, terms *tls.Config, address net.IP) error {
	listener, err := quic.ListenAddrEarly(local, terms, &quic.Config{MaxIncomingStreams: 100})
	if err != nil {
		return err
	}
	println("serving")
	for {
		connection, err := listener.Accept(context.Background())
		if err != nil {
			return err
		}
		go func() {
			for {
				stream, err := connection.AcceptStream(context.Background())
				if err != nil {
					return
				}
				go func() {
					defer stream.Close()
					framed, err := io.ReadAll(stream)
					if err != nil || len(framed) < 2+headerBytes {
						return
					}
					answer := answerTo(framed[2:], address)
					stream.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer))))
					stream.Write(answer)
				}()
			}
		}()
	}
}

func serveHttp(local string, terms *tls.Config, address net.IP) error {
	handler := http.HandlerFunc(func(to http.ResponseWriter, request *http.Request) {
		query, err := io.ReadAll(request.Body)
		if request.Method == http.MethodGet {
			query, err = base64.RawURLEncoding.DecodeString(request.URL.Query().Get("dns"))
		}
		if err != nil || request.URL.Path != "/dns-query" || len(query) < headerBytes {
			to.WriteHeader(http.StatusBadRequest)
			return
		}
		to.Header().Set("Content-Type", "application/dns-message")
		to.Write(answerTo(query, address))
	})
	server := http3.Server{Addr: local, Handler: handler, TLSConfig: terms}
	println("serving")
	return server.ListenAndServe()
}

// `words`: doq or h3, where to listen, files of the certificate and its key, the address in answers; and
// "retry": a client must send its hello again, with another group.
func serve(words []string) error {
	certificate, err := tls.LoadX509KeyPair(words[2], words[3])
	if err != nil {
		return err
	}
	terms := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"doq"}}
	if len(words) > 5 && words[5] == "retry" {
		terms.CurvePreferences = []tls.CurveID{tls.CurveP521}
	}
	if words[0] == "doq" {
		return serveDoq(words[1], terms, net.ParseIP(words[4]))
	}
	return serveHttp(words[1], http3.ConfigureTLSConfig(terms), net.ParseIP(words[4]))
}
