#include "routeros/client.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>

#include "routeros/server_trust.h"
#include "routeros/tls.h"

namespace steer::routeros {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;

// The socket with or without TLS. Each step returns why it failed; empty: it did not.
class Line {
  public:
    std::string open(const TransportConfig& to) {
        tcp::resolver resolver(io_);
        tcp::resolver::results_type found;
        auto why = wait([&](auto done) {
            resolver.async_resolve(to.host, std::to_string(to.port),
                                   [&found, done](error_code error, auto results) {
                                       found = results;
                                       done(error);
                                   });
        });
        if (!why.empty()) return why;
        why = wait([&](auto done) {
            asio::async_connect(socket_, found,
                                [done](error_code error, const tcp::endpoint&) { done(error); });
        });
        return !why.empty() || !to.tls.enabled ? why : secure(to);
    }

    std::string send(const std::string& bytes) {
        return on_stream([&](auto& stream) {
            return wait([&](auto done) {
                asio::async_write(stream, asio::buffer(bytes),
                                  [done](error_code error, std::size_t) { done(error); });
            });
        });
    }

    std::string receive(std::string_view& bytes) {
        return on_stream([&](auto& stream) {
            return wait([&](auto done) {
                stream.async_read_some(asio::buffer(in_),
                                       [this, &bytes, done](error_code error, std::size_t count) {
                                           bytes = {in_.data(), count};
                                           done(error);
                                       });
            });
        });
    }

    [[nodiscard]] std::string local_address() const {
        error_code failed;
        const auto endpoint = socket_.local_endpoint(failed);
        return failed ? std::string() : endpoint.address().to_string();
    }

  private:
    std::string secure(const TransportConfig& to) {
        try {
            context_.emplace(make_tls_context(to.tls, to.host));
        } catch (const std::exception& error) {
            return std::string("TLS: ") + error.what();
        }
        stream_.emplace(socket_, *context_);
        tls::send_name(stream_->native_handle(), to.host);
        std::string why = wait(
            [&](auto done) { stream_->async_handshake(asio::ssl::stream_base::client, done); });
        const std::string refused =
            why.empty() ? why : refused_certificate(stream_->native_handle(), to.host);
        if (!refused.empty()) why = refused;
        if (why.empty()) why = pin_trouble(stream_->native_handle(), to.tls);
        return why.empty() ? why : "TLS: " + why;
    }

    template <class Use>
    std::string on_stream(Use use) {
        return stream_ ? use(*stream_) : use(socket_);
    }

    // Begins something and waits until it has ended; closes the socket if that takes too long.
    template <class Begin>
    std::string wait(Begin begin) {
        std::optional<error_code> ended;
        begin([&ended](error_code error) { ended = error; });
        io_.restart();
        io_.run_for(kPatience);
        if (!ended) {
            error_code ignored;
            socket_.close(ignored);
            io_.restart();
            io_.run();
            return "no answer within 10 s";
        }
        if (*ended == asio::error::eof) return "the router closed the connection";
        return *ended ? ended->message() : std::string();
    }

    asio::io_context io_{1};
    tcp::socket socket_{io_};
    std::optional<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<tcp::socket&>> stream_;
    std::array<char, kReadAtOnce> in_{};
};

}  // namespace

class Client::Impl final : SessionHandler {
  public:
    std::string open(const TransportConfig& to, const std::string& user,
                     const std::string& password) {
        if (std::string why = line_.open(to); !why.empty()) return why;
        session_.login(user, password);
        std::string why = run([this] { return logged_in_; });
        if (why.empty() && !login_.ok) why = "login failed: " + login_.message;
        return why;
    }

    [[nodiscard]] std::string local_address() const { return line_.local_address(); }

    std::string ask(const Command& command, Reply& reply) {
        reply = {};
        reply_ = &reply;
        tag_ = session_.send(command);
        std::string why = run([this] { return tag_ == 0; });
        reply_ = nullptr;
        return why;
    }

  private:
    template <class IsDone>
    std::string run(IsDone is_done) {
        while (!is_done() && broken_.empty()) {
            if (const std::string output = session_.take_output(); !output.empty()) {
                if (std::string why = line_.send(output); !why.empty()) return why;
            }
            std::string_view bytes;
            if (std::string why = line_.receive(bytes); !why.empty()) return why;
            session_.feed(bytes);
        }
        return broken_;
    }

    void on_login(const Ending& ending) override {
        logged_in_ = true;
        login_ = ending;
    }
    void on_row(Tag tag, const ReplyRow& row) override {
        if (tag == tag_ && reply_ != nullptr) reply_->rows.push_back(row.all());
    }
    void on_end(Tag tag, const Ending& ending) override {
        if (tag != tag_ || reply_ == nullptr) return;
        reply_->ending = ending;
        tag_ = 0;
    }
    void on_broken(std::string_view reason) override { broken_ = reason; }

    Line line_;
    Session session_{*this};
    Ending login_;
    bool logged_in_ = false;
    std::string broken_;
    Tag tag_ = 0;  // of the command in progress; 0: it has ended
    Reply* reply_ = nullptr;
};

Client::Client() : impl_(std::make_unique<Impl>()) {}

Client::~Client() = default;

std::string Client::open(const TransportConfig& to, const std::string& user,
                         const std::string& password) {
    return impl_->open(to, user, password);
}

std::string Client::local_address() const {
    return impl_->local_address();
}

std::string Client::ask(const Command& command, Reply& reply) {
    return impl_->ask(command, reply);
}

}  // namespace steer::routeros
