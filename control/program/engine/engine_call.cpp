#include "control/program/engine/engine_call.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

namespace steer::recursion {
namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;

struct Call : std::enable_shared_from_this<Call> {
    Call(boost::asio::io_context& io, std::string words,
         std::function<void(std::optional<std::string>)> then)
        : socket(io), timer(io), command(std::move(words)), done(std::move(then)) {}

    void begin(const std::string& path, std::chrono::milliseconds patience) {
        const auto self = shared_from_this();
        timer.expires_after(patience);
        timer.async_wait([self](error_code error) {
            if (!error) self->end(std::nullopt);
        });
        socket.async_connect(stream_protocol::endpoint(path), [self](error_code error) {
            if (error) return self->end(std::nullopt);
            boost::asio::async_write(self->socket, boost::asio::buffer(self->command),
                                     [self](error_code failed, std::size_t) {
                                         if (failed) return self->end(std::nullopt);
                                         self->read();
                                     });
        });
    }

    void read() {
        const auto self = shared_from_this();
        boost::asio::async_read(socket, boost::asio::dynamic_buffer(answer, kMostAnswer),
                                [self](error_code error, std::size_t) {
                                    self->end(error == boost::asio::error::eof
                                                  ? std::optional(std::move(self->answer))
                                                  : std::nullopt);
                                });
    }

    void end(std::optional<std::string> result) {
        if (!done) return;
        timer.cancel();
        error_code ignored;
        socket.close(ignored);
        std::exchange(done, nullptr)(std::move(result));
    }

    stream_protocol::socket socket;
    boost::asio::steady_timer timer;
    std::string command, answer;
    std::function<void(std::optional<std::string>)> done;
};

}  // namespace

void call_engine(boost::asio::io_context& io, const std::string& socket, std::string command,
                 std::chrono::milliseconds patience,
                 std::function<void(std::optional<std::string>)> done) {
    constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
    if (socket.size() > kLongestPath)
        return boost::asio::post(io, [done = std::move(done)] { done(std::nullopt); });
    std::make_shared<Call>(io, std::move(command), std::move(done))->begin(socket, patience);
}

}  // namespace steer::recursion
