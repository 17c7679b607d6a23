// TLS to one server: verification of its certificate, and session resumption.
//
// TLS 1.2 or later. The certificate must lead to an authority (the system's, or those of `ca_file`)
// and be for the server's host, by name or by address (RFC 8310 8.1, RFC 9325). With `pins`, the
// key of one certificate in the verified chain must match as well; without verification, the
// server's own key (RFC 7858 4.2). SNI is sent only for names (RFC 6066 3). The last ticket is
// offered again (RFC 8446 2.2). Connections may outlive this object. One thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/host/net/byte_stream.h"
#include "control/host/net/tls_certificate.h"
#include "control/host/net/tls_trust.h"
#include "matchers/result.h"

namespace steer::stream {

class TlsClient {
  public:
    // `host`: a name or an address. `protocols`: ALPN (RFC 7301), the preferred one first; empty:
    // none. Reads the authorities. Error: their file cannot be read.
    static Result<std::shared_ptr<TlsClient>> make(std::string host,
                                                   const std::vector<std::string>& protocols,
                                                   TlsTrust trust);
    ~TlsClient();
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    // The TLS state for one connection, ready to connect; nullptr if there is no memory.
    SslPtr new_connection();
    // After the handshake: the Error says why the server is not the expected one.
    [[nodiscard]] Result<void> check(SSL* ssl);
    // The same of a chain in DER that another library received, the server's certificate first.
    // GnuTLS in steerdns-quic has completed the handshake, and so checked the server's signature.
    // Returns the facts of the certificate.
    [[nodiscard]] Result<CertificateFacts> judge(std::span<const std::string> chain,
                                                 std::string_view remedy) const;
    // Whether the handshake failed because the certificate is not trusted.
    [[nodiscard]] static bool is_refused(SSL* ssl);
    // Explains a failed handshake() in a sentence about the server. `why`: the stream's reason.
    // `remedy` names the setting to trust another authority.
    [[nodiscard]] std::string explain(SSL* ssl, const std::string& why,
                                      std::string_view remedy) const;

  private:
    struct ContextFree {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    struct SessionFree {
        void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
    };

    TlsClient(std::string host, TlsTrust trust)
        : host_(std::move(host)), trust_(std::move(trust)) {}
    [[nodiscard]] Result<void> check_pins(std::span<X509* const> shown) const;
    static int keep_session(SSL* ssl, SSL_SESSION* session);

    const std::string host_;
    const TlsTrust trust_;
    std::unique_ptr<SSL_CTX, ContextFree> context_;
    std::unique_ptr<SSL_SESSION, SessionFree> session_;
};

}  // namespace steer::stream
