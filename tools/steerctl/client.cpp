#include "client.h"

#include <sys/un.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "pages.h"
#include "remote_client.h"

namespace steerctl {
namespace asio = boost::asio;
namespace json = boost::json;
using Protocol = asio::local::stream_protocol;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;
constexpr int kLostPlace = -32002;  // of a cursor: the list changed there
constexpr unsigned kMostBegins = 5;

using steer::ErrorCode;

Reply failed(ErrorCode code, std::string sentence, int rpc_code = 0) {
    return {nullptr, std::move(sentence), code, rpc_code};
}

Reply connect_failure(const std::string& socket, const boost::system::error_code& error) {
    if (error == boost::system::errc::no_such_file_or_directory) {
        return failed(ErrorCode::unreachable, "steerdnsd is not running: no control socket at " +
                                                  socket + "; start it, or set --socket");
    }
    if (error == boost::system::errc::connection_refused) {
        return failed(ErrorCode::unreachable, "steerdnsd is not running: no answer on " + socket +
                                                  "; start it, or set --socket");
    }
    if (error == boost::system::errc::permission_denied) {
        return failed(ErrorCode::forbidden, "no permission to use " + socket +
                                                "; run steerctl as root or as the daemon's user");
    }
    return failed(ErrorCode::unreachable,
                  "cannot connect to " + socket + ": " + error.message() + "; check --socket");
}

asio::awaitable<void> converse(Protocol::socket& connection, const std::string& socket,
                               std::string request, Reply& reply) {
    const auto [refused] = co_await connection.async_connect(Protocol::endpoint(socket), kNoThrow);
    if (refused) {
        reply = connect_failure(socket, refused);
        co_return;
    }
    // Who is turned away gets an error, and may not get to send anything.
    (void)co_await asio::async_write(connection, asio::buffer(request), kNoThrow);
    std::string line;
    const auto [unread, length] = co_await asio::async_read_until(
        connection, asio::dynamic_buffer(line, kMaxAnswer), '\n', kNoThrow);
    if (unread) {
        reply = failed(ErrorCode::bad_answer,
                       "steerdnsd closed the connection without an answer; see its log");
        co_return;
    }
    reply = read_answer(std::string_view(line).substr(0, length), "the socket", "--socket");
}

}  // namespace

Reply read_answer(std::string_view line, std::string_view where, std::string_view option) {
    const std::string no_daemon = std::string(where) + " does not belong to steerdnsd";
    json::error_code error;
    const json::value answer = json::parse({line.data(), line.size()}, error);
    const auto* const object = answer.if_object();
    if (error || object == nullptr) {
        return failed(
            ErrorCode::bad_answer,
            no_daemon + ": the answer is not a JSON object; check " + std::string(option));
    }
    if (const auto* const result = object->if_contains("result")) return {*result, {}};
    const auto* const refusal = object->if_contains("error");
    const auto* const why = refusal != nullptr && refusal->is_object()
                                ? refusal->get_object().if_contains("message")
                                : nullptr;
    if (why == nullptr || !why->is_string()) {
        return failed(
            ErrorCode::bad_answer,
            no_daemon + ": the answer has neither result nor error; check " + std::string(option));
    }
    const auto* const number = refusal->get_object().if_contains("code");
    json::error_code not_a_number;
    const int code = number == nullptr ? 0 : number->to_number<int>(not_a_number);
    return failed(ErrorCode::rejected, "request rejected: " + std::string(why->get_string()), code);
}

namespace {

// One request and its answer.
Reply ask_once(const std::string& socket, std::string_view method, const json::value& params,
               std::chrono::seconds patience) {
    json::object request{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}};
    if (!params.is_null()) request["params"] = params;
    std::string line = json::serialize(request) + "\n";
    if (is_url(socket)) return ask_url(socket, line, patience);
    if (socket.empty() || socket.size() > kMaxPath) {
        return failed(ErrorCode::usage,
                      "the socket's path must have 1 to " + std::to_string(kMaxPath) + " bytes");
    }
    asio::io_context io(1);
    Protocol::socket connection(io);
    Reply reply =
        failed(ErrorCode::timeout, "steerdnsd did not answer within " +
                                       std::to_string(patience.count()) + " s; see its log");
    asio::co_spawn(io, converse(connection, socket, std::move(line), reply), asio::detached);
    io.run_for(patience);
    return reply;
}

// Until the last page. A page before it is passed on without what only pages have.
Reply ask_each(const std::string& socket, std::string_view method, const json::value& params,
               std::chrono::seconds patience, const TakePage& take) {
    json::value with_cursor = params;
    for (;;) {
        Reply reply = ask_once(socket, method, with_cursor, patience);
        auto* const page = reply.error.empty() ? reply.result.if_object() : nullptr;
        if (page == nullptr) return reply;
        const auto cursor = cursor_of(*page);
        end_page(*page);
        take(std::move(*page));
        if (!cursor) return {};
        if (with_cursor.is_null()) with_cursor = json::object{};
        with_cursor.get_object()["cursor"] = *cursor;
    }
}

}  // namespace

Reply ask_pages(const std::string& socket, std::string_view method, const json::value& params,
                std::chrono::seconds patience, const TakePage& take) {
    return ask_each(socket, method, params, patience, take);
}

Reply ask(const std::string& socket, std::string_view method, const json::value& params,
          std::chrono::seconds patience) {
    for (unsigned begun = 1;; ++begun) {
        json::object all;
        unsigned pages = 0;
        Reply reply = ask_each(socket, method, params, patience, [&](json::object&& page) {
            if (++pages == 1)
                all = std::move(page);
            else
                append_page(all, std::move(page));
        });
        if (reply.rpc_code == kLostPlace && begun < kMostBegins) continue;
        if (reply.error.empty() && pages != 0) reply.result = std::move(all);
        return reply;
    }
}

}  // namespace steerctl
