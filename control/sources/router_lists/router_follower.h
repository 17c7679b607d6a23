// What services that follow menus of routers for plugins have in common: a session with each router, the plugins, and the
// file of what is known.
//
// All on the main thread, except writing the file.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/host/process/published.h"
#include "dataplane/base/clock.h"
#include "matchers/result.h"
#include "routeros/menu_reader.h"
#include "routeros/transport.h"

namespace steer {

using RouterLog = std::function<void(routeros::Level, const std::string& sentence)>;

// `Kind`: {Plans; RouterPlan; PluginPlan; Reader; Known, of a router; Table, for workers; State, of a plugin;
// place(PluginPlan), where workers find the table}.
template <class Kind>
class RouterFollower {
  public:
    using Log = RouterLog;
    RouterFollower(const RouterFollower&) = delete;
    RouterFollower& operator=(const RouterFollower&) = delete;

    // The plans in force. An unchanged router keeps its session.
    void follow(const typename Kind::Plans& plans) {
        auto before = std::exchange(routers_, {});
        for (const RouterPlan& plan : plans.routers) {
            auto& router = routers_[plan.name()];
            if (const auto at = before.find(plan.name()); at != before.end()) {
                router = std::move(at->second);
                router->follow(plan);
            } else {
                router = std::make_unique<Router>(*this, plan);
            }
        }
        std::erase_if(known_, [&](const auto& k) { return !routers_.contains(k.first); });
        for (auto& [tag, plugin] : plugins_)
            plugin->is_wanted = false;
        for (const auto& plan : plans.plugins) {
            auto& plugin = plugins_[plan.tag];
            if (plugin == nullptr) plugin = std::make_unique<Plugin>(plan, qsbr_);
            plugin->plan = plan;
            plugin->is_wanted = true;
            publish(*plugin);
        }
        for (auto& [tag, plugin] : plugins_) {
            if (plugin->is_wanted) continue;
            plugin->state = {};
            plugin->published.put(nullptr);
        }
    }
    // Frees tables that no worker reads any more. Call it periodically.
    void poll() {
        for (auto& [tag, plugin] : plugins_)
            plugin->published.poll();
    }

  protected:
    using RouterPlan = typename Kind::RouterPlan;
    using Rows = typename Kind::Reader::Rows;

    // A router and its session.
    class Router final : routeros::MenuSink<Rows> {
      public:
        Router(RouterFollower& owner, RouterPlan with)
            : plan(std::move(with)),
              owner_(owner),
              transport_(owner.main_io_, plan.transport,
                         [&clock = owner.clock_] { return clock.now().ms; }),
              reader_(plan.reader, *this, transport_) {
            transport_.drive(reader_);
            reader_.start(owner.clock_.now().ms);
            transport_.wake();
        }
        ~Router() override {
            reader_.stop(owner_.clock_.now().ms);
            transport_.stop();
        }
        Router(const Router&) = delete;
        Router& operator=(const Router&) = delete;

        // The same plan keeps the session.
        void follow(const RouterPlan& now) {
            if (plan == now) return;
            plan = now;
            transport_.configure(plan.transport);
            reader_.configure(plan.reader, owner_.clock_.now().ms);
            transport_.wake();
        }
        [[nodiscard]] const routeros::MenuReader& reader() const { return reader_; }
        [[nodiscard]] bool in_sync() const {
            return reader_.state() == routeros::RouterState::in_sync;
        }

        RouterPlan plan;

      private:
        void rows(Rows all) override { owner_.take(plan.name(), std::move(all)); }
        void log(routeros::Level level, std::string_view sentence) override {
            owner_.log_(level, std::string(sentence));
        }

        RouterFollower& owner_;
        routeros::Transport transport_;
        typename Kind::Reader reader_;
    };
    // A plugin that has, or had, a plan.
    struct Plugin {
        Plugin(typename Kind::PluginPlan p, rte_rcu_qsbr* qsbr)
            : plan(std::move(p)), published(Kind::place(plan), qsbr) {}
        typename Kind::PluginPlan plan;
        bool is_wanted = true;
        typename Kind::State state{};
        Published<typename Kind::Table> published;
    };

    // `clock` outlives this. `qsbr`: of the workers.
    RouterFollower(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr, Log log)
        : main_io_(main_io), clock_(clock), qsbr_(qsbr), log_(std::move(log)) {}
    virtual ~RouterFollower() = default;

    // What was read from a router.
    virtual void take(const std::string& router, Rows all) = 0;
    // Makes the table of a plugin from what is known.
    virtual void publish(Plugin& plugin) = 0;
    void publish_all_of(const std::string& router) {
        for (auto& [tag, plugin] : plugins_) {
            if (plugin->is_wanted && std::ranges::count(plugin->plan.routers, router) != 0)
                publish(*plugin);
        }
    }

    // nullptr: nothing is known.
    [[nodiscard]] const typename Kind::Known* find_known(const std::string& router) const {
        const auto at = known_.find(router);
        return at != known_.end() ? &at->second : nullptr;
    }
    [[nodiscard]] bool in_sync(const std::string& router) const {
        const auto at = routers_.find(router);
        return at != routers_.end() && at->second->in_sync();
    }

    // For reports: {"router", "state", what `add` adds, "trouble"} of one router, or of all.
    template <class Add>
    [[nodiscard]] boost::json::array router_rows(const std::optional<std::string>& wanted,
                                                 Add add) const {
        boost::json::array rows;
        for (const auto& [name, router] : routers_) {
            if (wanted && *wanted != name) continue;
            boost::json::object row{{"router", name}, {"state", label(router->reader().state())}};
            add(row, *router);
            row["trouble"] = router->reader().error();
            rows.push_back(std::move(row));
        }
        return rows;
    }

    boost::asio::io_context& main_io_;
    Clock& clock_;
    rte_rcu_qsbr* const qsbr_;
    const Log log_;
    std::map<std::string, typename Kind::Known> known_;       // by router
    std::map<std::string, std::unique_ptr<Router>> routers_;  // by name
    std::map<std::string, std::unique_ptr<Plugin>> plugins_;  // by tag; includes earlier ones
};

// Writes a file some seconds after the first change, so that many changes are one write.
class KeptFile {
  public:
    using Save = Result<void> (*)(const std::string& file, const std::string& text);

    // `file`: empty: nothing is kept. `text` makes the content, on the main thread. Errors are logged as warnings.
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
