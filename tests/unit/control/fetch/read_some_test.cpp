// A message that comes a byte at a time.
#include "control/fetch/read_some.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

BOOST_AUTO_TEST_SUITE(reading)

namespace {

struct Read {
    boost::system::error_code error;
    std::string body;
};

Read read_bytewise(const std::string& said) {
    asio::io_context io;
    beast::test::stream stream(io), peer(io);
    stream.connect(peer);
    stream.append(said);
    stream.read_size(1);
    peer.close();
    Read out;
    http::response_parser<http::string_body> parser;
    const auto all = [&]() -> asio::awaitable<void> {
        beast::flat_buffer buffer;
        while (!parser.is_done() && !out.error)
            out.error = co_await steer::fetch::read_some(stream, buffer, parser);
    };
    asio::co_spawn(io, all(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    io.run();
    out.body = parser.get().body();
    return out;
}

constexpr const char* kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_CASE(chunks_and_their_end_in_any_pieces) {
    const Read none = read_bytewise(std::string(kChunked) + "0\r\n\r\n");
    BOOST_TEST(!none.error, none.error.message());
    BOOST_TEST(none.body.empty());
    const Read some =
        read_bytewise(std::string(kChunked) + "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: x\r\n\r\n");
    BOOST_TEST(!some.error, some.error.message());
    BOOST_TEST(some.body == "abcd");
}

BOOST_AUTO_TEST_CASE(an_end_that_comes_too_early_is_seen) {
    for (const char* const part : {"", "0\r\n", "3\r\nab", "3\r\nabc"}) {
        const Read cut = read_bytewise(std::string(kChunked) + part);
        BOOST_TEST((cut.error == http::error::partial_message), part);
    }
    BOOST_TEST((read_bytewise("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab").error ==
                http::error::partial_message));
    BOOST_TEST(read_bytewise("HTTP/1.1 200 OK\r\n\r\nab").body == "ab");  // up to its end
}

BOOST_AUTO_TEST_SUITE_END()
