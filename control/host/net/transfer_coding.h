// The only transfer coding that we accept in requests: "chunked" (RFC 9112 6.1, 7).
//
// If the last coding of Transfer-Encoding is not "chunked", Beast ignores the field and takes the
// length from Content-Length. Another HTTP program may take it from the coding. Then the two would
// see different requests.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/message.hpp>

namespace steer::stream {

// Whether the length of the content is ambiguous. Such a request is refused, and its connection is
// closed.
template <class Fields>
bool has_unknown_coding(const boost::beast::http::header<true, Fields>& head) {
    namespace http = boost::beast::http;
    constexpr unsigned kFirstVersionWithCodings = 11;
    const auto codings = head.count(http::field::transfer_encoding);
    if (codings == 0) return false;
    return codings != 1 || head.version() < kFirstVersionWithCodings ||
           !boost::beast::iequals(head[http::field::transfer_encoding], "chunked");
}

}  // namespace steer::stream
