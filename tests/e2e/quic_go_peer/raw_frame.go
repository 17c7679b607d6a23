// Compiled into the package quic of quic-go, whose connections send only frames that they made.
package quic

import (
	"bytes"

	"github.com/lucas-clemente/quic-go/internal/protocol"
)

type rawFrame []byte

func (f rawFrame) Write(b *bytes.Buffer, _ protocol.VersionNumber) error {
	_, err := b.Write(f)
	return err
}

func (f rawFrame) Length(protocol.VersionNumber) protocol.ByteCount {
	return protocol.ByteCount(len(f))
}

// SendRaw sends bytes as frames of a protected packet.
func SendRaw(c Connection, frames []byte) {
	c.(*connection).queueControlFrame(rawFrame(frames))
}
