// One step of reading an HTTP/1.1 message off a stream: what is there is parsed, or more is read. As Beast's own
// async_read_some(), but for a chunked end that comes in small pieces (control/stream/http/chunked_end.h).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>

#include "control/process/no_throw.h"
#include "control/stream/http/chunked_end.h"

namespace steer::fetch {

// need_buffer: the body's room is used up. The end of the stream is the parser's to judge.
template <class Stream, class Parser>
boost::asio::awaitable<boost::system::error_code> read_some(Stream& stream,
                                                            boost::beast::flat_buffer& buffer,
                                                            Parser& parser) {
    namespace asio = boost::asio;
    constexpr std::size_t kPiece = std::size_t{64} * 1024;
    boost::system::error_code error;
    if (buffer.size() > 0 && !stream::waits_for_chunk(parser, buffer.size())) {
        buffer.consume(parser.put(buffer.data(), error));
        if (error != boost::beast::http::error::need_more) co_return error;
    }
    const auto [failed, n] = co_await stream.async_read_some(buffer.prepare(kPiece), kNoThrow);
    buffer.commit(n);
    if (failed != asio::error::eof) co_return failed;
    error = {};
    parser.put_eof(error);
    co_return error;
}

}  // namespace steer::fetch
