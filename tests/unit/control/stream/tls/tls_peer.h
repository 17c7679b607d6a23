// What tests of TLS stand on: an authority of the test's, files with its certificates, and a client
// that is turned by hand.
#pragma once

#include <openssl/x509v3.h>

#include <string>

#include "control/host/net/byte_stream.h"
#include "control/host/net/openssl_ptr.h"
#include "control/host/net/tls_certificate.h"
#include "support/temp_folder.h"
#include "world.h"

namespace steer::test {

struct Issued {
    std::string cert, key;  // PEM
};

class Authority {
  public:
    Authority();
    // A certificate for `name`, from `begins_s` to `ends_s` seconds after now.
    Issued issue(const std::string& name, long begins_s = -3600, long ends_s = 3600);
    [[nodiscard]] std::string pem() const;
    [[nodiscard]] X509* certificate() const { return own_.get(); }

  private:
    stream::KeyPtr key_;
    stream::X509Ptr own_;
    long serial_ = 1;
};

// Writes both; returns what a server is given.
stream::TlsFiles files_of(const TempFolder& folder, const Issued& issued);

// A context of a client that believes `authority`.
stream::SslContextPtr client_context(const Authority& authority);

// A client's end of TLS on a connected socket.
class TlsPeer {
  public:
    TlsPeer(Peer peer, SSL_CTX* context, SSL_SESSION* resumed = nullptr);
    TlsPeer(TlsPeer&&) = default;
    TlsPeer& operator=(TlsPeer&&) = delete;
    ~TlsPeer();
    // Goes on with the handshake. True: it is done.
    bool shake_hands();
    bool send_framed(const Bytes& message);
    std::optional<Bytes> next_framed();
    bool receive();  // false: the other side has closed
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    [[nodiscard]] std::string server_name() const;  // of its certificate
    bool failed = false;

  private:
    Peer peer_;
    stream::SslPtr ssl_;
    Bytes in_;
};

}  // namespace steer::test
