// What an HTTP request must be to carry a DNS query (RFC 8484 4.1), and what one gets that does not.
//
// Pure. A head is judged as soon as it is there, before any of its content: what is refused then
// costs nobody a buffer.
//
// Paths are compared octet by octet, as written: what is percent-encoded is another path. `dns` is
// base64url without padding (RFC 4648 5), in its one canonical form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace steer::stream {

// The most that a query may have: EDNS, a few options and padding take a tenth of it.
inline constexpr std::size_t kMaxHttpQuery = 4096;
// The most that a head may have, names, values and what HTTP/2 counts for each (RFC 9113 6.5.2).
// A GET of kMaxHttpQuery bytes is 5,462 characters long.
inline constexpr std::size_t kMaxHttpHead = 8192;

enum class HttpStatus : std::uint16_t {
    ok = 200,
    bad_request = 400,
    not_found = 404,
    method_not_allowed = 405,
    request_timeout = 408,
    length_required = 411,
    content_too_large = 413,
    uri_too_long = 414,
    unsupported_media_type = 415,
    fields_too_large = 431,
    unavailable = 503,
    version_not_supported = 505,
};
// "Not Found"
std::string_view reason_of(HttpStatus status);

enum class HttpMethod : std::uint8_t { get, head, post, other };
HttpMethod method_of(std::string_view name);

// What is kept of a request's head.
struct HttpHead {
    HttpMethod method = HttpMethod::other;
    std::string target;
    std::optional<std::string> content_type;
    bool encoded = false;  // has a Content-Encoding other than identity
    std::optional<std::uint64_t> content_length;
    std::string forwarded_for;  // of the header that names the client, all its lines
};

// A query that lies in the target, or one whose content is to follow.
struct HttpQuery {
    std::size_t path = 0;  // which of the paths
    bool in_content = false;
    std::vector<std::uint8_t> message;  // unless in_content
};

// Judges a head, but for what Content-Length says about framing.
std::variant<HttpQuery, HttpStatus> judge_head(const HttpHead& head,
                                               std::span<const std::string> paths);
// Judges a query's bytes: at least a header and not a response; else it is not worth a worker's time.
HttpStatus judge_message(std::span<const std::uint8_t> message);

// base64url without padding; nothing: it is not that.
std::optional<std::vector<std::uint8_t>> bytes_of_base64url(std::string_view text);

}  // namespace steer::stream
