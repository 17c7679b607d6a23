#include "tools/rossim/control.h"

#include <unistd.h>

#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace rossim {
namespace {

using boost::asio::local::stream_protocol;
using Error = boost::system::error_code;

constexpr std::size_t kMaxLine = 4096;
constexpr std::string_view kErrorMark = "error: ";

// Reads the line, answers, ends.
class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    Exchange(stream_protocol::socket socket, Hosts& hosts)
        : socket_(std::move(socket)), hosts_(hosts) {}

    void start() {
        boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(text_, kMaxLine), '\n',
                                      [self = shared_from_this()](const Error& error, std::size_t) {
                                          if (!error) self->answer();
                                      });
    }

  private:
    void answer() {
        try {
            text_ = run_control_line(hosts_, text_.substr(0, text_.find('\n')));
        } catch (const std::exception& error) {
            text_ = std::string(kErrorMark) + error.what() + "\n";
        }
        boost::asio::async_write(socket_, boost::asio::buffer(text_),
                                 [self = shared_from_this()](const Error&, std::size_t) {});
    }

    stream_protocol::socket socket_;
    Hosts& hosts_;
    std::string text_;
};

void remove_dead_socket(boost::asio::io_context& io, const std::string& path) {
    if (!std::filesystem::is_socket(path)) return;
    stream_protocol::socket probe(io);
    Error error;
    probe.connect(stream_protocol::endpoint(path), error);
    if (!error) throw std::runtime_error("--control " + path + ": another rossim listens there");
    ::unlink(path.c_str());
}

}  // namespace

ControlServer::ControlServer(boost::asio::io_context& io, std::string path, Hosts& hosts)
    : acceptor_(io), path_(std::move(path)), hosts_(hosts) {
    remove_dead_socket(io, path_);
    try {
        acceptor_ = stream_protocol::acceptor(io, stream_protocol::endpoint(path_));
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error("--control " + path_ + ": " + error.code().message());
    }
    accept();
}

ControlServer::~ControlServer() {
    ::unlink(path_.c_str());
}

void ControlServer::accept() {
    acceptor_.async_accept([this](const Error& error, stream_protocol::socket socket) {
        if (error == boost::asio::error::operation_aborted) return;
        if (!error) std::make_shared<Exchange>(std::move(socket), hosts_)->start();
        accept();
    });
}

int ask_control(const ControlRequest& request) {
    boost::asio::io_context io;
    stream_protocol::socket socket(io);
    Error error;
    socket.connect(stream_protocol::endpoint(request.socket), error);
    if (error) {
        std::fprintf(stderr, "rossim: cannot reach %s: %s; is rossim running with --control?\n",
                     request.socket.c_str(), error.message().c_str());
        return 1;
    }
    boost::asio::write(socket, boost::asio::buffer(request.line + "\n"), error);
    std::string text;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), error);
    const bool failed = text.starts_with(kErrorMark);
    std::fputs(text.c_str(), failed ? stderr : stdout);
    return failed ? 1 : 0;
}

}  // namespace rossim
