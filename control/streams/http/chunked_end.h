// Works around an assertion of Beast's HTTP/1.1 parser.
//
// After the last chunk of a chunked message, Beast (basic_parser::parse_chunk_header, as of Boost
// 1.81) asserts that it always gets at least the length of "0\r\n\r\n". A peer that sends it in
// pieces would end the process. Fewer bytes are never the end of an incomplete chunked message, so
// waiting is correct.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>

namespace steer::stream {

// Whether put() must wait for more than these `bytes`. Not for bytes that arrive together with the
// head.
template <bool is_request>
bool waits_for_chunk(const boost::beast::http::basic_parser<is_request>& parser,
                     std::size_t bytes) {
    constexpr std::size_t kShortestEnd = 5;
    return bytes < kShortestEnd && parser.is_header_done() && !parser.is_done() && parser.chunked();
}

}  // namespace steer::stream
