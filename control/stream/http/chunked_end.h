// Where Beast's parser of HTTP/1.1 may not be given what is there.
//
// Of a chunked message that has come as far as its last chunk it asserts (basic_parser::parse_chunk_header, as of Boost
// 1.81) that never fewer bytes are shown to it again than "0\r\n\r\n" has. Whoever sends that in pieces would end the
// process. Bytes of a chunked message that is not complete are never the last ones if they are fewer, so to wait is right.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>

namespace steer::stream {

// Whether put() has to wait for more than these `bytes`. Not for the first ones behind a head that come with it.
template <bool is_request>
bool waits_for_chunk(const boost::beast::http::basic_parser<is_request>& parser,
                     std::size_t bytes) {
    constexpr std::size_t kShortestEnd = 5;
    return bytes < kShortestEnd && parser.is_header_done() && !parser.is_done() && parser.chunked();
}

}  // namespace steer::stream
