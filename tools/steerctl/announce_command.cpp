// `announce`: makes BIRD announce service addresses while steerdnsd is ready.
//
// Two connections stay open: to the daemon, which sends its readiness, and to BIRD, which enables
// or disables protocols. The end of either is detected at once. BIRD's protocols are disabled
// first. Their state is sent again each second, because BIRD may have been restarted or
// reconfigured.
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "announcement.h"
#include "bird_reply.h"
#include "cells.h"
#include "commands.h"

namespace steerctl {
namespace asio = boost::asio;
namespace json = boost::json;
using Socket = asio::local::stream_protocol::socket;
using Endpoint = asio::local::stream_protocol::endpoint;
using namespace std::chrono_literals;
using Ms = std::chrono::milliseconds;
namespace {

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);
constexpr Ms kPollEvery = 50ms, kRetry = 100ms;
constexpr Ms kTellAgain = 1'000ms, kBirdPatience = 2'000ms, kEndPatience = 5'000ms;
constexpr std::size_t kMaxLine = 64 * 1024;
constexpr std::string_view kSubscribe =
    R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["readiness"]}})"
    "\n";

Ms now() {
    return std::chrono::duration_cast<Ms>(std::chrono::steady_clock::now().time_since_epoch());
}

std::string refusal_of(const std::string& who, const std::string& path,
                       const boost::system::error_code& error) {
    if (error == boost::system::errc::permission_denied)
        return "no permission to use " + path + "; add the user to the group of " + who;
    return who + " does not run: " + path + ": " + error.message();
}

// False: BIRD closed the connection, or it is not BIRD.
asio::awaitable<bool> read_reply(Socket& socket, BirdReply& reply) {
    BirdReader reader;
    auto state = BirdReader::State::incomplete;
    while (state == BirdReader::State::incomplete) {
        std::array<char, 4096> bytes{};
        const auto [error, length] = co_await socket.async_read_some(asio::buffer(bytes), kQuiet);
        if (error) break;
        state = reader.take({bytes.data(), length}, reply);
    }
    co_return state == BirdReader::State::complete;
}

class Announcer {
  public:
    struct Place {
        std::string daemon, bird;
        std::vector<std::string> protocols;
        bool as_json = false;
    };
    Announcer(Place place, Announcement::Times times, Ms settle)
        : place_(std::move(place)),
          settle_(settle),
          wanted_(times),
          bird_news_(io_),
          poll_timer_(io_),
          signals_(io_, SIGTERM, SIGINT) {}

    int run() {
        ::sd_notify(0, "READY=1");
        asio::co_spawn(io_, follow_daemon(), asio::detached);
        asio::co_spawn(io_, follow_bird(), asio::detached);
        asio::co_spawn(io_, poll(), asio::detached);
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) end();
        });
        io_.run();
        return 0;
    }

  private:
    void tell(const std::string& text, json::object fields = {}) {
        if (place_.as_json) {
            fields["text"] = text;
            print_json(fields);
        } else {
            print(text + "\n");
        }
        std::fflush(stdout);
    }
    // Once for each change.
    void complain(std::string& last, const std::string& text) {
        if (std::exchange(last, text) != text && !text.empty()) tell(text);
    }

    // Notifies BIRD if it is another state than before.
    void follow() {
        const bool is_wanted = wanted_.is_wanted(now());
        if (state_ && !is_wanted) withdrawn_at_ = now();
        if (is_sent_ && is_wanted == state_) return;
        is_sent_ = true;
        state_ = is_wanted;
        tell((is_wanted ? "announced: " : "withdrawn: ") + wanted_.why(),
             {{"announced", is_wanted}});
        ::sd_notify(0, is_wanted ? "STATUS=announced" : "STATUS=withdrawn");
        ++version_;
        bird_news_.cancel();
    }

    asio::awaitable<void> poll() {
        for (auto beat = now();;) {
            follow();
            if (ends_ && now() >= end_by_) io_.stop();  // BIRD hangs
            if (now() - beat >= kTellAgain) {
                beat = now();
                ::sd_notify(0, "WATCHDOG=1");
            }
            poll_timer_.expires_after(kPollEvery);
            (void)co_await poll_timer_.async_wait(kQuiet);
        }
    }

    // ---- steerdnsd

    asio::awaitable<void> follow_daemon() {
        bool was_received = false;
        for (;; follow()) {
            Socket socket(io_);
            const auto [refused] = co_await socket.async_connect(Endpoint(place_.daemon), kQuiet);
            if (refused) {
                wanted_.lost(refusal_of("steerdnsd", place_.daemon, refused), now());
                follow();
                was_received = false;
                co_await pause(kRetry);
                continue;
            }
            if (was_received) wanted_.reconnecting(now());
            was_received = co_await listen(socket);
            if (!was_received) co_await pause(kRetry);
        }
    }

    // Until the daemon closes the connection. False: it reported nothing that counts.
    asio::awaitable<bool> listen(Socket& socket) {
        bool was_received = false;
        (void)co_await asio::async_write(socket, asio::buffer(kSubscribe), kQuiet);
        for (std::string buffer;;) {
            const auto [error, length] = co_await asio::async_read_until(
                socket, asio::dynamic_buffer(buffer, kMaxLine), '\n', kQuiet);
            if (error) break;
            const std::string line = buffer.substr(0, length);
            buffer.erase(0, length);
            was_received = take(line) || was_received;
            follow();
        }
        co_return was_received;
    }

    // A line of the daemon: whether it says its readiness.
    bool take(const std::string& line) {
        json::error_code error;
        const json::value value = json::parse(line, error);
        if (error || !value.is_object()) return false;
        const json::object& message = value.get_object();
        if (message.contains("error") || !message.contains("method")) {
            if (const auto* const refusal = find(message, "error"))
                complain(daemon_error_, "steerdnsd refuses to tell its readiness: " +
                                            text_of(object_of(*refusal), "message"));
            return false;
        }
        const auto* const params = find(message, "params");
        if (params == nullptr) return false;
        const auto* const data = find(object_of(*params), "data");
        if (data == nullptr) return false;
        daemon_error_.clear();
        const json::object& readiness = object_of(*data);
        const bool is_ready = is_true(readiness, "ready");
        wanted_.received(is_ready, is_ready ? "" : text_of(readiness, "trouble"), now());
        return true;
    }

    // ---- BIRD

    asio::awaitable<void> follow_bird() {
        for (;;) {
            Socket socket(io_);
            const auto [refused] = co_await socket.async_connect(Endpoint(place_.bird), kQuiet);
            if (refused) {
                complain(bird_error_, refusal_of("BIRD", place_.bird, refused));
                if (ends_) io_.stop();  // nothing is announced
            } else {
                co_await instruct(socket);
            }
            co_await pause(kRetry);
        }
    }

    // Until BIRD closes the connection, or does not reply.
    asio::awaitable<void> instruct(Socket& socket) {
        asio::steady_timer patience(io_);
        BirdReply reply;
        if (!co_await read(socket, patience, reply)) co_return;
        complain(bird_error_, "");
        for (;;) {
            const auto version = version_;
            const bool enables = state_;
            std::string failure;
            for (const std::string& protocol : place_.protocols) {
                const std::string command = bird_command(enables, protocol);
                (void)co_await asio::async_write(socket, asio::buffer(command), kQuiet);
                if (!co_await read(socket, patience, reply)) {
                    complain(bird_error_, "BIRD closed the connection, or does not reply");
                    co_return;
                }
                if (!reply.is_good()) {
                    failure = "BIRD refuses '" + command.substr(0, command.size() - 1) +
                              "': " + reply.text();
                }
            }
            complain(bird_error_, failure);
            if (version != version_) continue;
            if (ends_) {
                const Ms since = now() - withdrawn_at_;
                if (since < settle_) co_await pause(settle_ - since);
                io_.stop();
            }
            bird_news_.expires_after(kTellAgain);
            (void)co_await bird_news_.async_wait(kQuiet);
        }
    }

    asio::awaitable<bool> read(Socket& socket, asio::steady_timer& patience, BirdReply& reply) {
        patience.expires_after(kBirdPatience);
        patience.async_wait([&socket](const boost::system::error_code& error) {
            boost::system::error_code ignored;
            if (!error) socket.close(ignored);
        });
        const bool is_whole = co_await read_reply(socket, reply);
        patience.cancel();
        co_return is_whole;
    }

    void end() {
        ::sd_notify(0, "STOPPING=1");
        ends_ = true;
        end_by_ = now() + kEndPatience + settle_;
        wanted_.end();
        is_sent_ = false;
        follow();
    }

    asio::awaitable<void> pause(Ms time) {
        asio::steady_timer timer(io_, time);
        (void)co_await timer.async_wait(kQuiet);
    }

    Place place_;
    Ms settle_, end_by_{0}, withdrawn_at_{0};
    asio::io_context io_{1};
    Announcement wanted_;
    asio::steady_timer bird_news_, poll_timer_;
    asio::signal_set signals_;
    bool is_sent_ = false, state_ = false, ends_ = false;
    std::uint64_t version_ = 0;  // of `state_`
    std::string daemon_error_, bird_error_;
};

// For a unit's ExecStopPost: once, without the daemon.
int withdraw(const std::string& bird, const std::vector<std::string>& protocols, bool as_json) {
    asio::io_context io(1);
    Socket socket(io);
    boost::system::error_code error;
    std::string failure;
    bool is_done = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            const auto [refused] = co_await socket.async_connect(Endpoint(bird), kQuiet);
            error = refused;
            if (refused) co_return;
            for (std::size_t i = 0; i <= protocols.size(); ++i) {  // the greeting is the first
                BirdReply reply;
                if (!co_await read_reply(socket, reply)) co_return;
                if (!reply.is_good()) failure = reply.text();
                if (i == protocols.size()) break;
                const std::string command = bird_command(false, protocols[i]);
                (void)co_await asio::async_write(socket, asio::buffer(command), kQuiet);
            }
            is_done = true;
        },
        asio::detached);
    io.run_for(kBirdPatience);
    const auto done = [as_json](std::string_view text) {
        if (as_json) {
            print_json(json::object{{"announced", false}, {"text", text}});
        } else {
            print(std::string(text) + "\n");
        }
        return 0;
    };
    if (error == boost::system::errc::no_such_file_or_directory ||
        error == boost::system::errc::connection_refused) {
        return done("BIRD does not run: nothing is announced");
    }
    if (error) return fail(steer::ErrorCode::unreachable, refusal_of("BIRD", bird, error));
    if (!failure.empty())
        return fail(steer::ErrorCode::rejected, "BIRD refuses to disable a protocol: " + failure);
    if (!is_done)
        return fail(steer::ErrorCode::timeout, "BIRD did not reply on " + bird + "; see its log");
    return done("withdrawn");
}

struct Announce {
    std::string bird = "/run/bird/bird.ctl";
    std::vector<std::string> protocols;
    double hold_s = 1, settle_s = 1;
    bool withdraws = false;
};

// Until SIGTERM or SIGINT.
int run_announce(const Options& options, const Announce& wanted) {
    constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
    const std::vector<std::string> protocols =
        wanted.protocols.empty() ? std::vector<std::string>{"anycast*"} : wanted.protocols;
    for (const std::string& protocol : protocols) {
        if (bird_command(true, protocol).empty())
            return misused("--protocol: expected a name, or a pattern such as 'anycast*'");
    }
    for (const auto& [option, path] :
         {std::pair<const char*, const std::string&>{"--bird", wanted.bird},
          {"--socket", options.socket}}) {
        if (path.empty() || path.size() > kMaxPath)
            return misused(std::string(option) + ": a socket's path has 1 to " +
                           std::to_string(kMaxPath) + " bytes");
    }
    if (wanted.withdraws) return withdraw(wanted.bird, protocols, options.as_json);
    const auto ms = [](double seconds) { return Ms(static_cast<Ms::rep>(seconds * 1000)); };
    Announcement::Times times;
    times.hold = ms(wanted.hold_s);
    return Announcer({options.socket, wanted.bird, protocols, options.as_json}, times,
                     ms(wanted.settle_s))
        .run();
}

}  // namespace

Run add_announce(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<Announce>();
    command
        .add_option("--bird", wanted->bird,
                    "Control socket of BIRD (default: " + wanted->bird + ")")
        ->option_text("PATH")
        ->type_name("FILE")
        ->take_last();
    command
        .add_option("--protocol", wanted->protocols,
                    "Protocol of BIRD, or a pattern such as anycast*; can be repeated (default: "
                    "anycast*)")
        ->option_text("NAME");
    command
        .add_option("--hold", wanted->hold_s,
                    "Seconds that the daemon has to be ready before it is announced (default: 1)")
        ->option_text("SECONDS")
        ->check(CLI::Range(0.0, 600.0))
        ->take_last();
    command
        .add_option("--settle", wanted->settle_s,
                    "Seconds between the withdrawal and the end of this program (default: 1)")
        ->option_text("SECONDS")
        ->check(CLI::Range(0.0, 60.0))
        ->take_last();
    command.add_flag("--withdraw", wanted->withdraws, "Only withdraw, and end");
    return [&options, wanted] { return run_announce(options, *wanted); };
}

}  // namespace steerctl
