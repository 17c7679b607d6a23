// The SvcParams of SVCB and HTTPS records (RFC 9460 2.1, 7) from text to wire form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/config/text/rdata_text.h"
#include "matchers/result.h"

namespace steer::config {

// "alpn=h2,h3", "port=8443", "key667=text": sorted by number, as the wire wants them.
Result<std::vector<std::uint8_t>> svc_parameters(std::span<const ZoneWord> words);

}  // namespace steer::config
