// The server side of TLS as RouterOS offers it: with a certificate (given or self-signed), or
// without one (anonymous DH).
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <string>

#include "tools/rossim/settings.h"

namespace rossim {

// A self-signed certificate contains `address`. Throws std::runtime_error with a sentence.
boost::asio::ssl::context make_tls_context(const TlsSettings& settings, const std::string& address);

}  // namespace rossim
