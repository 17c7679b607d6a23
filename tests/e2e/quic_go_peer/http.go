package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	quic "github.com/lucas-clemente/quic-go"
	"github.com/lucas-clemente/quic-go/http3"
)

// One client of HTTP/3, whose requests share a connection.
func (p *peer) http3Client() *http3.RoundTripper {
	if p.http == nil {
		p.http = &http3.RoundTripper{TLSClientConfig: p.tls,
			Dial: func(ctx context.Context, _ string, tls *tls.Config, config *quic.Config) (quic.EarlyConnection, error) {
				socket, err := newMovableSocket("")
				if err != nil {
					return nil, err
				}
				return quic.DialEarlyContext(ctx, socket, p.server, p.tls.ServerName, tls, config)
			}}
	}
	return p.http
}

// A request for `Path`, with the body `Hex`.
func (p *peer) fetch(r request) answer {
	body, err := hex.DecodeString(r.Hex)
	if err != nil {
		return describe(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.Ms)*time.Millisecond)
	defer cancel()
	asked, err := http.NewRequestWithContext(ctx, r.Method, "https://"+p.tls.ServerName+r.Path, bytes.NewReader(body))
	if err != nil {
		return describe(err)
	}
	for name, value := range r.Headers {
		asked.Header.Set(name, value)
	}
	response, err := p.http3Client().RoundTrip(asked)
	if err != nil {
		return describe(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return describe(err)
	}
	headers := map[string]string{}
	for name := range response.Header {
		headers[name] = response.Header.Get(name)
	}
	return answer{"status": response.StatusCode, "hex": hex.EncodeToString(got), "headers": headers, "protocol": response.Proto}
}
