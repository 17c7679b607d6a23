#include "control/api/http/http_reply.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "matchers/version.h"

namespace steer::ops {
namespace http = boost::beast::http;

Reply refusal(unsigned status, std::string sentence, std::string fields) {
    return {.status = status, .body = std::move(sentence) + "\n", .fields = std::move(fields)};
}

Reply refusal(const boost::system::error_code& error) {
    if (error == http::error::header_limit) return refusal(431, "the header is longer than 8 KiB");
    if (error == http::error::bad_version) return refusal(505, "use HTTP/1.1");
    return refusal(400, "this is not an HTTP request");
}

std::string head_of(const Reply& reply, std::string_view fields, std::string_view length,
                    bool keeps) {
    const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
    head.append(reason.data(), reason.size()).append("\r\nserver: ");
    head.append(with_version("steerdnsd", '/')).append("\r\n").append(fields);
    head.append("content-type: ").append(reply.type).append("\r\n");
    head.append("cache-control: ").append(reply.cache).append("\r\n");
    head.append(reply.fields).append(length);
    return head.append(keeps ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
}

std::string text_of(const Reply& reply, std::string_view fields, bool keeps, bool head_only) {
    const bool has_body = reply.status != 204 && reply.status != 304;
    const std::string length =
        has_body ? "content-length: " + std::to_string(reply.body.size()) + "\r\n" : "";
    std::string out = head_of(reply, fields, length, keeps);
    return has_body && !head_only ? out + reply.body : out;
}

}  // namespace steer::ops
