// What services that follow menus of routers have in common: the session of one router, and the file of what is known.
//
// All on the main thread, except writing the file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/clock.h"
#include "matchers/result.h"
#include "routeros/menu_reader.h"
#include "routeros/transport.h"

namespace steer {

using RouterLog = std::function<void(routeros::Level, const std::string& sentence)>;

// `Plan`: {Reader::Config reader; routeros::TransportConfig transport; ...}, comparable. `Sink`: that of `Reader`.
template <class Plan, class Reader, class Sink>
class FollowedRouter {
  public:
    // `clock` and `sink` outlive it.
    FollowedRouter(boost::asio::io_context& main_io, Clock& clock, Plan plan, Sink& sink)
        : plan_(std::move(plan)),
          clock_(clock),
          transport_(main_io, plan_.transport, [&clock] { return clock.now().ms; }),
          reader_(plan_.reader, sink, transport_) {
        transport_.drive(reader_);
        reader_.start(clock_.now().ms);
        transport_.wake();
    }
    ~FollowedRouter() {
        reader_.stop(clock_.now().ms);
        transport_.stop();
    }
    FollowedRouter(const FollowedRouter&) = delete;
    FollowedRouter& operator=(const FollowedRouter&) = delete;

    // The same plan keeps the session.
    void take(const Plan& now) {
        if (plan_ == now) return;
        plan_ = now;
        transport_.configure(plan_.transport);
        reader_.configure(plan_.reader, clock_.now().ms);
        transport_.wake();
    }

    [[nodiscard]] const Plan& plan() const { return plan_; }
    [[nodiscard]] const Reader& reader() const { return reader_; }
    [[nodiscard]] bool in_sync() const { return reader_.state() == routeros::RouterState::in_sync; }

  private:
    Plan plan_;
    Clock& clock_;
    routeros::Transport transport_;
    Reader reader_;
};

// Keeps what `routers` has of these plans, and begins and ends sessions for the rest. `begin` makes one; `name_of` is the key.
template <class Router, class Plan, class NameOf, class Begin>
void follow_routers(std::map<std::string, std::unique_ptr<Router>>& routers,
                    const std::vector<Plan>& plans, NameOf name_of, Begin begin) {
    std::map<std::string, std::unique_ptr<Router>> before;
    before.swap(routers);
    for (const Plan& plan : plans) {
        const std::string& name = name_of(plan);
        auto& router = routers[name];
        if (const auto at = before.find(name); at != before.end()) {
            router = std::move(at->second);
            router->take(plan);
        } else {
            router = begin(plan);
        }
    }
}

// Writes a file some seconds after the first change, so that many changes are one write.
class KeptFile {
  public:
    using Save = Result<void> (*)(const std::string& file, const std::string& text);

    // `file`: empty: nothing is kept. `text` makes the content, on the main thread. Troubles are logged as warnings.
    KeptFile(boost::asio::io_context& main_io, std::string file, std::function<std::string()> text,
             Save save, RouterLog log)
        : file_(std::move(file)),
          text_(std::move(text)),
          save_(save),
          log_(std::move(log)),
          timer_(main_io) {}
    ~KeptFile() { disk_.join(); }
    KeptFile(const KeptFile&) = delete;
    KeptFile& operator=(const KeptFile&) = delete;

    [[nodiscard]] const std::string& file() const { return file_; }
    // Not written since the last keep_soon().
    [[nodiscard]] bool is_pending() const { return is_pending_; }
    void keep_soon() {
        if (file_.empty() || std::exchange(is_pending_, true)) return;
        timer_.expires_after(kKeepAfter);
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) keep();
        });
    }
    void keep() {
        is_pending_ = false;
        if (file_.empty()) return;
        run([save = save_, file = file_, text = text_(), log = log_] {
            const auto kept = save(file, text);
            if (!kept) log(routeros::Level::warning, kept.error().sentence());
        });
    }
    // Other work with files, in turn with the writes.
    template <class Work>
    void run(Work work) {
        boost::asio::post(disk_, std::move(work));
    }

  private:
    static constexpr std::chrono::seconds kKeepAfter{5};

    const std::string file_;
    const std::function<std::string()> text_;
    const Save save_;
    const RouterLog log_;
    boost::asio::steady_timer timer_;
    bool is_pending_ = false;
    boost::asio::thread_pool disk_{1};
};

}  // namespace steer
