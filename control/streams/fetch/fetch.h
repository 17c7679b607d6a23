// Fetches one file over HTTP or HTTPS into a sink, with limits on size, time and redirects.
//
// It blocks only the calling thread. It rejects a redirect from https to http, and verifies TLS
// servers by name. The sink gets decompressed content (gzip). The content is complete and valid
// only if the outcome is `fetched`.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/text/url.h"
#include "control/host/resolver/stub_resolver.h"
#include "matchers/counter_table.h"
#include "matchers/result.h"

namespace steer::fetch {

//  name, what happened
#define STEER_FETCH_OUTCOMES(X)                                              \
    X(fetched, "the whole of it came, and it is another than before")        \
    X(unchanged, "the server says, or it shows, that it is as it was")       \
    X(no_name, "no resolver knows an address of its server")                 \
    X(unreachable, "its server could not be connected to, or hung up")       \
    X(untrusted, "its server's certificate could not be verified")           \
    X(refused, "its server answered with an error, or led astray")           \
    X(too_large, "it is larger than max_size")                               \
    X(cut_off, "it ended too early")                                         \
    X(too_slow, "it took longer than timeout")                               \
    X(damaged, "it came in a form that cannot be unpacked")                  \
    X(no_list, "its content is not a list of the expected kind")             \
    X(shrunk, "it has far fewer rules than its last good copy (max_shrink)") \
    X(not_kept, "it could not be written")                                   \
    X(stopped, "the daemon ended")

STEER_COUNTER_ENUM(Outcome, kOutcomes, STEER_FETCH_OUTCOMES);
inline bool is_good(Outcome outcome) {
    return outcome == Outcome::fetched || outcome == Outcome::unchanged;
}

struct Request {
    config::Url url;
    // Validators of the present copy, from its server; empty: none.
    std::string etag, last_modified;
    std::uint64_t max_bytes = std::uint64_t{64} << 20;  // after decompression
    std::chrono::milliseconds timeout{60'000};
    unsigned max_redirects = 5;
    std::string ca;                             // a PEM file; empty: the system's
    std::vector<resolver::Resolver> resolvers;  // for names; after them, the system's
};

struct Response {
    Outcome outcome = Outcome::stopped;
    std::string etag, last_modified;
    std::uint64_t bytes = 0;          // after decompression
    std::string why;                  // for the operator; empty: success
    bool by_system_resolver = false;  // none of `resolvers` answered
};

// `sink` gets the content as it arrives; its error ends the fetch (not_kept).
using Sink = std::function<Result<void>(std::span<const std::uint8_t>)>;
Response fetch(const Request& request, const Sink& sink, const std::stop_token& stop);

}  // namespace steer::fetch
