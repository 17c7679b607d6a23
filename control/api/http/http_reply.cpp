#include "control/api/http/http_reply.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "matchers/version.h"

namespace steer::ops {
namespace http = boost::beast::http;
namespace {

// Scripts, styles and requests of the page are its own server's.
constexpr std::string_view kSecurityFields =
    "content-security-policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n";

}  // namespace

Reply refusal(unsigned status, std::string sentence, std::string fields) {
    return {.status = status, .body = std::move(sentence) + "\n", .fields = std::move(fields)};
}

Reply too_long() {
    return refusal(
        413, "the content is too long: with an accepted token it may have 4 MiB, else 64 KiB");
}

Reply refusal(const boost::system::error_code& error) {
    if (error == http::error::header_limit) return refusal(431, "the header is longer than 8 KiB");
    if (error == http::error::body_limit) return too_long();
    if (error == http::error::bad_version) return refusal(505, "use HTTP/1.1");
    return refusal(400, "this is not an HTTP request");
}

std::string head_of(const Reply& reply, std::string_view length, bool keeps) {
    const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
    head.append(reason.data(), reason.size()).append("\r\nserver: ");
    head.append(with_version("steerdnsd", '/')).append("\r\n").append(kSecurityFields);
    head.append("content-type: ").append(reply.type).append("\r\n");
    if (reply.fields.find("cache-control:") == std::string::npos)
        head.append("cache-control: no-store\r\n");
    head.append(reply.fields).append(length);
    return head.append(keeps ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
}

std::string text_of(const Reply& reply, bool keeps, bool head_only) {
    const bool has_body = reply.status != 204 && reply.status != 304;
    const std::string length =
        has_body ? "content-length: " + std::to_string(reply.body.size()) + "\r\n" : "";
    std::string out = head_of(reply, length, keeps);
    return has_body && !head_only ? out + reply.body : out;
}

}  // namespace steer::ops
