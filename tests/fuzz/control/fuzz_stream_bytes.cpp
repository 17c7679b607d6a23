// What clients and proxies send before anything has checked it: the OPT of a query (or of a response, which options are
// added to), and PROXY headers.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "control/stream/edns_options.h"
#include "control/stream/proxy_header.h"

using namespace steer::stream;

namespace {

void check_options(std::span<const std::uint8_t> bytes) {
    (void)options_asked(bytes);
    std::vector<std::uint8_t> message(bytes.begin(), bytes.end());
    message.resize(bytes.size() + kMostOptionBytes);
    const std::size_t padded = give_options(
        message, bytes.size(), {.padding = true, .keepalive = std::chrono::seconds(1)});
    if (padded < bytes.size() || padded > message.size()) std::abort();
    if (padded == bytes.size() && !std::equal(bytes.begin(), bytes.end(), message.begin()))
        std::abort();
}

void check_header(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kProxyFixedBytes) return;
    const auto length = proxy_header_length(bytes.first<kProxyFixedBytes>());
    if (!length || *length > bytes.size()) return;
    const std::vector<std::uint8_t> exact(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(*length));
    (void)read_proxy_header(exact);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy of exactly that size, so that a byte read behind it is seen.
    const std::vector<std::uint8_t> copy(data, data + size);
    check_options(copy);
    check_header(copy);
    return 0;
}
