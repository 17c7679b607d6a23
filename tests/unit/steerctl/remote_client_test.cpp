// A question over HTTP: whole, cut and strange responses, and what is reported without one. TLS: tests/e2e/rpc_e2e.py.
#include "remote_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace steerctl;
using boost::asio::ip::tcp;
using steer::ErrorCode;

namespace {

constexpr std::string_view kRequest = R"({"jsonrpc":"2.0","id":1,"method":"status"})";

// Reads one request, sends these pieces, and ends the connection; `is_silent`: with this object only.
class HttpPeer {
  public:
    explicit HttpPeer(std::vector<std::string> pieces, bool is_silent = false)
        : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
          thread_([this, pieces = std::move(pieces), is_silent] { serve(pieces, is_silent); }) {}
    ~HttpPeer() {
        end_.set_value();
        thread_.join();
    }
    Reply asked(std::chrono::seconds patience = kPatience) {
        const auto port = std::to_string(acceptor_.local_endpoint().port());
        return ask_url("http://127.0.0.1:" + port, kRequest, patience);
    }
    std::string request;  // read when there is a reply

  private:
    void serve(const std::vector<std::string>& pieces, bool is_silent) {
        tcp::socket socket = acceptor_.accept();
        socket.set_option(tcp::no_delay(true));
        const auto head =
            boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n");
        boost::system::error_code error;
        boost::asio::read(socket, boost::asio::dynamic_buffer(request),
                          boost::asio::transfer_exactly(head + kRequest.size() - request.size()),
                          error);
        for (const std::string& piece : pieces)
            boost::asio::write(socket, boost::asio::buffer(piece), error);
        if (is_silent) end_.get_future().wait();
    }

    boost::asio::io_context io_;
    tcp::acceptor acceptor_;
    std::promise<void> end_;
    std::thread thread_;
};

const std::string kBody = R"({"jsonrpc":"2.0","id":1,"result":"up"})";
const std::string kLength = "Content-Length: " + std::to_string(kBody.size()) + "\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(remote_client)

BOOST_AUTO_TEST_CASE(a_response_in_pieces_is_one_answer) {
    HttpPeer peer({"HTTP/1.1 200 O", "K\r\n", kLength, kBody.substr(0, 5), kBody.substr(5)}, true);
    const Reply reply = peer.asked();
    BOOST_TEST(reply.error == "");
    BOOST_TEST(reply.result.as_string() == "up");
    BOOST_TEST(peer.request.starts_with("POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:"));
    BOOST_TEST(peer.request.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
    BOOST_TEST(peer.request.ends_with("\r\n\r\n" + std::string(kRequest)));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_connection_ends_a_response_without_a_length) {
    HttpPeer peer({"HTTP/1.0 200 OK\r\n\r\n", kBody});
    BOOST_TEST(peer.asked().result.as_string() == "up");
    HttpPeer chunked({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" +
                          kBody.substr(0, 16) + "\r\n",
                      "16\r\n" + kBody.substr(16) + "\r\n0\r\n\r\n"});
    BOOST_TEST(chunked.asked().result.as_string() == "up");
}

BOOST_AUTO_TEST_CASE(a_response_that_is_cut_or_missing_is_no_answer) {
    for (const char* const text :
         {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
          "220 mail.example\r\n\r\n"}) {
        HttpPeer peer({text});
        const Reply reply = peer.asked();
        BOOST_TEST((reply.code == ErrorCode::unreachable), text);
        BOOST_TEST(
            reply.error.find(" ended the connection without an answer: ") != std::string::npos,
            reply.error);
        BOOST_TEST(reply.error.ends_with("; see the log of steerdnsd"), reply.error);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_answer_is_left_in_time) {
    HttpPeer peer({"HTTP/1.1 200 OK\r\n"}, true);
    const Reply reply = peer.asked(std::chrono::seconds(1));
    BOOST_TEST((reply.code == ErrorCode::timeout));
    BOOST_TEST(reply.error.ends_with(" did not answer within 1 s; see the log of steerdnsd"),
               reply.error);
}

BOOST_AUTO_TEST_CASE(the_status_of_a_response_is_its_error) {
    const auto code = [](const char* status) {
        return HttpPeer({"HTTP/1.1 " + std::string(status) + "\r\n" + kLength, kBody}).asked().code;
    };
    BOOST_TEST((code("401 Unauthorized") == ErrorCode::forbidden));
    BOOST_TEST((code("421 Misdirected Request") == ErrorCode::forbidden));
    BOOST_TEST((code("413 Payload Too Large") == ErrorCode::rejected));
    BOOST_TEST((code("404 Not Found") == ErrorCode::bad_answer));
}

BOOST_AUTO_TEST_CASE(a_port_that_nothing_listens_on_is_unreachable) {
    boost::asio::io_context io;
    tcp::acceptor closed(io, {boost::asio::ip::address_v4::loopback(), 0});
    const auto where = "127.0.0.1:" + std::to_string(closed.local_endpoint().port());
    closed.close();
    const Reply reply = ask_url("http://" + where, kRequest, kPatience);
    BOOST_TEST((reply.code == ErrorCode::unreachable));
    BOOST_TEST(reply.error == "cannot connect to " + where +
                                  ": Connection refused; check --url, and `listen` of `http` in "
                                  "its configuration");
}

BOOST_AUTO_TEST_CASE(urls_that_are_none_are_refused) {
    for (const char* const url : {"https://", "https://x:", "https://x:y", "https://x:70000",
                                  "https://[::1", "https://[::1]y", "https://x/rpc", "https://u@x",
                                  "http://192.0.2.1:9154", "http://dns.example"}) {
        const Reply reply = ask_url(url, kRequest, kPatience);
        BOOST_TEST((reply.code == ErrorCode::usage), url);
        BOOST_TEST(reply.error.starts_with("--url is " + std::string(url) + ": "), reply.error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
