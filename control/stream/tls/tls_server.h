// Our side of TLS on a listening socket: TLS 1.2 and 1.3, by a certificate that is renewed while
// connections are open. They keep the one that they began with; tickets are good across both.
//
// ALPN (RFC 7301): the first of our protocols that the client has; a client that speaks of none is
// welcome; one that has none of ours is told so, because it means another service.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/stream/tls/byte_stream.h"
#include "control/stream/tls/tls_certificate.h"
#include "control/stream/tls/tls_tickets.h"
#include "matchers/result.h"

namespace steer::stream {

class TlsServer {
  public:
    // `protocols`: ALPN, the one we like best first. `clock` outlives this. Nothing is served before
    // a load().
    TlsServer(const std::vector<std::string>& protocols, Clock& clock);
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    // Takes the certificate that the files have now. After an Error the one before stays. Files that
    // are as they were are not read again. Blocks; not on a `streams` thread.
    Result<void> load(const TlsFiles& files);

    // Those of the last load().
    [[nodiscard]] const TlsFiles& files() const { return files_; }

    // For one connection, which is to accept. nullptr: no memory. Any thread.
    [[nodiscard]] SslPtr accept() const;
    // Of the one in force. Any thread.
    [[nodiscard]] CertificateFacts facts() const;

  private:
    [[nodiscard]] Result<SslContextPtr> make_context(const TlsFiles& files,
                                                     const Certificate& certificate);
    static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_length,
                               const unsigned char* in, unsigned in_length, void* self);

    std::vector<unsigned char> protocols_;  // as ALPN writes them: each behind its length
    TlsTickets tickets_;
    TlsFiles files_;
    std::string read_;          // what the files were when they were read: names, times, sizes
    mutable std::mutex mutex_;  // of what follows
    SslContextPtr context_;
    CertificateFacts facts_;
};

}  // namespace steer::stream
