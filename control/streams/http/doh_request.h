// Checks HTTP requests with a DNS query (RFC 8484 4.1), and writes the responses to invalid ones.
//
// Pure. A head is checked as soon as it is complete, before its content, so a rejected request
// needs no buffer.
//
// Paths are compared octet by octet, without decoding: a percent-encoded path is a different path.
// `dns` is base64url without padding (RFC 4648 5), in its canonical form. On paths with `json`, a
// GET with `name` and without `dns` is a query of the JSON API (json_query.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/streams/http/json_query.h"

namespace steer::stream {

// The largest query. EDNS, some options and padding need a tenth of it.
inline constexpr std::size_t kMaxHttpQuery = 4096;
// The largest head: names, values and HTTP/2's overhead for each (RFC 9113 6.5.2). A GET with
// kMaxHttpQuery bytes has 5,462 characters.
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
    too_many_requests = 429,
    fields_too_large = 431,
    unavailable = 503,
    version_not_supported = 505,
};
// "Not Found"
std::string_view reason_of(HttpStatus status);
// The text of a refusal: one line.
std::string_view text_of(HttpStatus status);

enum class HttpMethod : std::uint8_t { get, head, post, other };
HttpMethod method_of(std::string_view name);

// The stored parts of a request's head.
struct HttpHead {
    HttpMethod method = HttpMethod::other;
    std::string target;
    std::optional<std::string> content_type;
    bool encoded = false;  // has a Content-Encoding other than identity
    std::optional<std::uint64_t> content_length;
    std::string forwarded_for;  // all lines of the header that names the client
};

// A field of HTTP/2 or HTTP/3. `name` is in lower case. `client_header`: that names the client;
// empty: none.
void take_field(HttpHead& head, std::string_view name, std::string_view value,
                std::string_view client_header);

struct ServedPath {
    std::string path;
    bool json = false;  // the JSON API is served, too
    bool operator==(const ServedPath&) const = default;
};

// A query in the target, or one whose content follows.
struct HttpQuery {
    std::size_t path = 0;  // index of the path
    bool in_content = false;
    std::vector<std::uint8_t> message;      // unless in_content
    AnswerForm form = AnswerForm::message;  // of the response (HttpAnswerFields)
};

// `text`: one line, with the status's own text as default.
struct HttpRefusal {
    HttpRefusal(HttpStatus s);  // NOLINT(google-explicit-constructor): most have no other text
    HttpRefusal(HttpStatus s, std::string_view t) : status(s), text(t) {}
    HttpStatus status;
    std::string_view text;
};

// Checks a head, except the framing by Content-Length.
std::variant<HttpQuery, HttpRefusal> judge_head(const HttpHead& head,
                                                std::span<const ServedPath> paths);
// Checks a query's bytes before a worker gets them: it has a header, and is not a response.
HttpStatus judge_message(std::span<const std::uint8_t> message);

// Decodes base64url without padding; no value: invalid.
std::optional<std::vector<std::uint8_t>> bytes_of_base64url(std::string_view text);

}  // namespace steer::stream
