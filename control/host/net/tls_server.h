// TLS of a listening socket: TLS 1.2 and 1.3. The certificate can be renewed while connections are
// open. They keep their old one; tickets are valid with both.
//
// ALPN (RFC 7301) selects the first of our protocols that the client offers. A client without ALPN
// is accepted. A client with only other protocols gets an alert, because it expects another
// service.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/host/net/sealed_key.h"
#include "control/host/net/ticket_server.h"
#include "control/host/net/tls_certificate.h"
#include "control/host/net/tls_tickets.h"
#include "matchers/result.h"

namespace steer::stream {

class TlsServer final : public TicketServer {
  public:
    // `protocols`: ALPN, the preferred one first. `clock` must outlive this object. No connection
    // is served before the first load().
    TlsServer(const std::vector<std::string>& protocols, Clock& clock);
    ~TlsServer() override;
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    // Loads the present certificate from the files. After an Error the old one stays. Does not read
    // unchanged files again. Blocks; not for a `streams` thread.
    Result<void> load(const TlsFiles& files);
    // Uses this certificate, which can differ from the one in the files, until the next load()
    // finds other files.
    Result<void> use(const TlsFiles& files, const Certificate& certificate);

    // The files of the last load().
    [[nodiscard]] const TlsFiles& files() const { return files_; }

    // The TLS state for one accepted connection; nullptr if there is no memory. Any thread.
    [[nodiscard]] SslPtr accept() const;
    // Facts about the present certificate. Any thread.
    [[nodiscard]] CertificateFacts facts() const;

    [[nodiscard]] std::string ticket_group() const override;
    [[nodiscard]] std::string new_ticket_key() const override;
    bool use_ticket_key(std::string_view sealed, std::uint64_t from_ms,
                        std::uint64_t until_ms) override;

  private:
    [[nodiscard]] Result<SslContextPtr> make_context(const TlsFiles& files,
                                                     const Certificate& certificate);
    static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_length,
                               const unsigned char* in, unsigned in_length, void* self);

    std::vector<unsigned char> protocols_;  // in ALPN's format: each after its length
    TlsTickets tickets_;
    TlsFiles files_;
    std::string read_;          // the files' state before the read: names, times, sizes
    mutable std::mutex mutex_;  // protects the following members
    SslContextPtr context_;
    CertificateFacts facts_;
    KeySealer sealer_;
};

}  // namespace steer::stream
