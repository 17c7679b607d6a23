// A certificate as texts, for a process that may not read its files.
#pragma once

#include <string>

#include "control/host/net/tls_certificate.h"

namespace steer::stream {

// PEM.
struct CertificatePem {
    std::string chain, key;  // the server's certificate first, then its issuers
    std::string client_cas;  // empty: none
};

CertificatePem pem_of(const Certificate& certificate);

}  // namespace steer::stream
