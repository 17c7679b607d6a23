#include "control/sinks/fleet/fleet_service.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <chrono>
#include <random>
#include <utility>

#include "control/sinks/fleet/redis_link.h"
#include "routeros/router.h"

namespace steer::fleet {
namespace {

constexpr std::uint64_t kCheckMs =
    2'000;  // between two questions whether the master is still the master
constexpr std::uint64_t kPollPatienceMs = 500;
constexpr std::uint64_t kLeaveMs = 1'000;  // patience for the end of leases, at a reload

// Tells this process from an earlier one of the same box.
std::string new_nonce() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::random_device random;
    std::string nonce;
    for (unsigned i = 0; i < 8; ++i)
        nonce += kDigits[random() % kDigits.size()];
    return nonce;
}

}  // namespace

std::int64_t wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

struct FleetService::Running {
    Running(boost::asio::io_context& io, const FleetPlan& wanted, const Clock& clock,
            Fleet::Log log)
        : plan(wanted),
          commands(io, plan, clock),
          messages(io, plan, clock),
          master(io, plan, clock),
          fleet({plan.name, plan.box, new_nonce(), plan.lease_ms}, plan.login, commands, messages,
                std::move(log)),
          timer(io) {
        commands.drive(fleet.commands());
        messages.drive(fleet.messages());
        fleet.set_wall_clock(wall_ms);
    }
    ~Running() {
        timer.cancel();
        fleet.end();
        commands.stop();
        messages.stop();
        master.stop();
        if (hosts == nullptr) return;
        for (const RedisLink* link : {&commands, &messages})
            hosts->set(link, {});
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    // While this exists, it reports there what the Redis' name was resolved to, and the addresses of other boxes.
    void use_hosts(NeededHosts& all) {
        hosts = &all;
        fleet.use_hosts(all);
        for (RedisLink* link : {&commands, &messages}) {
            link->on_resolved([&all, link](std::span<const routeros::AddressBytes> found) {
                all.set(link, addresses_of(found));
            });
        }
    }
    // After calls by which a connection's deadline may be earlier.
    void wake() {
        commands.wake();
        messages.wake();
    }

    const FleetPlan plan;
    RedisLink commands, messages;
    MasterFinder master;
    Fleet fleet;
    boost::asio::steady_timer timer;
    NeededHosts* hosts = nullptr;
    std::uint64_t checked_ms = 0;  // at the Sentinels
    std::uint64_t leaving_ms = 0;  // since when
};

struct FleetService::Feed {
    Feed(boost::asio::io_context& io, const FleetPlan& wanted, std::string followed,
         const Clock& clock, GroupFeed::Tell tell)
        : plan(wanted),
          key(std::move(followed)),
          link(io, plan, clock),
          feed(link, plan.login, key, config::kMaxGroupText, std::move(tell)),
          timer(io) {
        link.drive(feed.connection());
    }
    ~Feed() {
        timer.cancel();
        feed.stop();
        link.stop();
    }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    const FleetPlan plan;
    const std::string key;
    RedisLink link;
    GroupFeed feed;
    boost::asio::steady_timer timer;
};

FleetService::FleetService(boost::asio::io_context& io, Clock clock, Fleet::Log log)
    : io_(io), clock_(std::move(clock)), log_(std::move(log)) {}

FleetService::~FleetService() = default;

void FleetService::configure(std::optional<FleetPlan> plan) {
    if (running_ && plan && running_->plan == *plan) return;
    leave();
    if (plan) begin(*plan);
    publish_view();
}

void FleetService::follow_groups(const std::optional<FleetPlan>& plan, const std::string& key,
                                 GroupFeed::Tell tell) {
    const bool is_wanted = plan && !key.empty();
    if (feed_ && is_wanted && feed_->plan == *plan && feed_->key == key) return;
    feed_.reset();
    if (!is_wanted) return;
    feed_ = std::make_unique<Feed>(io_, *plan, key, clock_, std::move(tell));
    feed_->feed.start(clock_());
    poll_feed();
}

void FleetService::poll_feed() {
    feed_->feed.poll(clock_());
    feed_->link.wake();
    feed_->timer.expires_after(std::chrono::milliseconds(GroupFeed::kPollMs));
    feed_->timer.async_wait([this](const boost::system::error_code& error) {
        if (!error && feed_) poll_feed();
    });
}

void FleetService::begin(const FleetPlan& plan) {
    const std::uint64_t now_ms = clock_();
    running_ = std::make_unique<Running>(io_, plan, clock_, log_);
    running_->fleet.set_facts(facts_, now_ms);
    if (hosts_ != nullptr) running_->use_hosts(*hosts_);
    if (plan.share_tickets) running_->fleet.share_tickets(tickets_);
    running_->fleet.share_state(sharing_.kinds, sharing_.events, [this] {
        clock_ahead_ms_.store(running_->fleet.clock_ahead_ms(), std::memory_order_relaxed);
        sharing_.begin();
    });
    running_->fleet.start(now_ms);
    running_->fleet.connect(now_ms);
    boost::asio::post(io_, [this] { tick(); });
}

void FleetService::leave() {
    if (!running_) return;
    running_->timer.cancel();
    leaving_ = std::exchange(running_, nullptr);
    leaving_->leaving_ms = clock_();
    leaving_->fleet.stop(clock_());
    past_ += leaving_->fleet.counters();
    leaving_->timer.expires_after(std::chrono::milliseconds(kLeaveMs));
    leaving_->timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) leaving_.reset();
    });
}

void FleetService::follow(std::vector<PeerRouter> routers) {
    routers_ = std::move(routers);
    const std::uint64_t now_ms = clock_();
    if (running_) {
        running_->fleet.follow(routers_, now_ms);
        running_->wake();
    } else if (had_fleet_) {
        for (const PeerRouter& peer : routers_) {
            peer.router->set_role({}, now_ms);
            peer.wake();
        }
    }
    had_fleet_ = running_ != nullptr;
    publish_view();
}

void FleetService::claimed(const std::string& router, const Claim& claim) {
    if (running_) running_->fleet.claimed(router, claim, clock_());
}

void FleetService::flush() {
    if (running_) running_->fleet.flush(clock_());
}

void FleetService::stop() {
    feed_.reset();
    leave();
    publish_view();
}

bool FleetService::has_stopped() const {
    return !leaving_ || leaving_->fleet.has_stopped() ||
           clock_() >= leaving_->leaving_ms + kLeaveMs;
}

void FleetService::tick() {
    if (!running_) return;
    running_->fleet.tick(clock_());
    check_master();
    running_->wake();
    publish_view();
    running_->timer.expires_after(std::chrono::milliseconds(running_->fleet.tick_ms()));
    running_->timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) tick();
    });
}

// A connection to a master that the Sentinels have replaced may live on, in a partition.
void FleetService::check_master() {
    Running& now = *running_;
    if (now.plan.sentinels.empty() || !now.fleet.is_connected()) return;
    if (now.commands.place() != now.messages.place()) {
        return now.fleet.commands().restart(
            "its two connections lead to " + now.commands.place() + " and " + now.messages.place(),
            clock_());
    }
    if (clock_() < now.checked_ms + kCheckMs) return;
    now.checked_ms = clock_();
    now.master.find([this](const Result<MasterAddress>& found) {
        if (!running_ || !found || !running_->fleet.is_connected()) return;
        routeros::TransportConfig to = running_->plan.redis;
        to.host = found->host;
        to.port = found->port;
        if (place_text(to) == running_->commands.place()) return;
        running_->fleet.commands().restart("the Sentinels name another master, " + place_text(to),
                                           clock_());
        running_->wake();
    });
}

void FleetService::put(EntryChange change) {
    boost::asio::post(io_, [this, change = std::move(change)] {
        if (!running_) return;
        running_->fleet.put(change, clock_());
        running_->wake();
    });
}

void FleetService::set_facts(const BoxFacts& facts) {
    boost::asio::post(io_, [this, facts] {
        facts_ = facts;
        if (!running_) return;
        running_->fleet.set_facts(facts, clock_());
        running_->wake();
        publish_view();
    });
}

// A poll that its fleet's end leaves without an answer is answered by the timer.
void FleetService::report(std::function<void(boost::json::object)> done) {
    boost::asio::post(io_, [this, done = std::move(done)]() mutable {
        const auto timer = std::make_shared<boost::asio::steady_timer>(
            io_, std::chrono::milliseconds(kPollPatienceMs));
        timer->async_wait([this, done = std::move(done), timer](const boost::system::error_code&) {
            done(report_now());
        });
        if (running_)
            running_->fleet.poll(clock_(), [timer] { timer->cancel(); });
        else
            timer->cancel();
    });
}

boost::json::object FleetService::report_now() const {
    boost::json::object all{{"configured", running_ != nullptr}};
    if (!running_) return all;
    for (auto& [name, value] : running_->fleet.report(clock_()))
        all[name] = std::move(value);
    all["redis"] = running_->commands.place();
    all["lease_ms"] = running_->plan.lease_ms;
    return all;
}

void FleetService::publish_view() {
    FleetView fresh;
    fresh.counters = past_;
    fresh.is_configured = running_ != nullptr;
    if (running_) {
        const Fleet& fleet = running_->fleet;
        clock_ahead_ms_.store(fleet.clock_ahead_ms(), std::memory_order_relaxed);
        fresh.is_connected = fleet.is_connected();
        fresh.counters += fleet.counters();
        fresh.roles = fleet.roles();
        fresh.problems = fleet.problems();
        fresh.boxes = fleet.boxes_alive();
        fresh.is_kept_serving = fleet.is_kept_serving();
        fresh.held_for = fleet.held_for();
    }
    const std::lock_guard lock(mutex_);
    view_ = std::move(fresh);
}

FleetView FleetService::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

}  // namespace steer::fleet
