#include "control/sinks/routers/router_thread.h"

#include "control/host/process/call_filters.h"
#include "control/sinks/routers/router_service.h"
#include "routeros/router.h"
#include "routeros/transport.h"

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <future>
#include <limits>
#include <string>
#include <utility>

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kStatusEvery = 500ms;
constexpr auto kOnceEvery = 5ms;
constexpr std::uint64_t kNothingWrittenMs = 2'000;  // at the end: the router takes no more
constexpr unsigned kEventsPerTurn = 64;             // of one worker, before others have their turn

}  // namespace

struct RouterThread::Link {
    Link(RouterThread& owner, build::RouterPlan p)
        : hosts(owner.runtime_.needed_hosts()),
          plan(std::move(p)),
          transport(owner.io_, plan.transport, [&clock = owner.clock_] { return clock.now().ms; }),
          service(plan.config, kept_lists(plan), transport, owner.lists_, owner.log_,
                  &owner.findings_) {
        transport.on_resolved([this](std::span<const routeros::AddressBytes> found) {
            hosts.set(this, addresses_of(found));
        });
        transport.drive(service.router());
        service.share_with(owner.peers_.get());
    }
    ~Link() { hosts.set(this, {}); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    NeededHosts& hosts;
    build::RouterPlan plan;
    routeros::Transport transport;
    RouterService service;
    std::uint64_t retired_ms = 0;
    bool paused = false;  // by its name
};

struct RouterThread::Io {
    explicit Io(boost::asio::io_context& io, int event_fd)
        : wake(io, ::dup(event_fd)), status(io), backlog(io), work(io.get_executor()) {}
    boost::asio::posix::stream_descriptor wake;
    boost::asio::steady_timer status, backlog;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
};

RouterThread::RouterThread(DataplaneRuntime& runtime, Clock& clock,
                           const std::vector<build::RouterPlan>& plans, Log log,
                           RouterFindings findings)
    : runtime_(runtime),
      clock_(clock),
      log_(std::move(log)),
      findings_(std::move(findings)),
      acknowledger_(runtime),
      lists_(runtime, acknowledger_,
             [this](const std::string& sentence) { log_(routeros::Level::warning, sentence); }) {
    for (const auto& plan : plans)
        links_.push_back(std::make_unique<Link>(*this, plan));
    divide_lists();
    timers_ = std::make_unique<Io>(io_, runtime.routers_sleeper().event_fd());
}

RouterThread::~RouterThread() {
    stop(0);
}

void RouterThread::add_sink(const MakeSink& make) {
    others_.push_back(make(io_, lists_));
    if (bypassed()) others_.back()->pause(true);
    divide_lists();
}

void RouterThread::add_peers(const MakePeers& make) {
    peers_ = make(io_);
    for (const auto& link : links_)
        link->service.share_with(peers_.get());
}

void RouterThread::start() {
    thread_ = filtered_thread(ThreadKind::routers, [this] { run(); });
    pthread_setname_np(thread_.native_handle(), "routers");
}

void RouterThread::run() {
    heartbeat_.begin();
    for (auto& link : links_) {
        link->service.router().start(clock_.now().ms);
        link->transport.wake();
    }
    follow_routers();
    publish_status();
    on_wake();
    io_.run();
}

// ---- a reload

void RouterThread::configure(std::vector<build::RouterPlan> plans, std::function<void()> others) {
    boost::asio::post(io_, [this, plans = std::move(plans), others = std::move(others)]() mutable {
        drain();  // of the lists that were
        if (others) others();
        take_up(std::move(plans));
    });
}

void RouterThread::take_up(std::vector<build::RouterPlan> plans) {
    std::vector<std::unique_ptr<Link>> before;
    before.swap(links_);
    for (auto& plan : plans) {
        const auto at = std::find_if(before.begin(), before.end(), [&](const auto& link) {
            return link != nullptr && link->plan.config.name == plan.config.name;
        });
        if (at == before.end()) {
            add(std::move(plan));
            continue;
        }
        links_.push_back(std::move(*at));
        reconfigure(*links_.back(), std::move(plan));
    }
    divide_lists();
    follow_routers();
    for (auto& link : before) {
        if (link) let_go(std::move(link));
    }
}

void RouterThread::add(build::RouterPlan plan) {
    links_.push_back(std::make_unique<Link>(*this, std::move(plan)));
    links_.back()->service.router().start(clock_.now().ms);
    obey(*links_.back());
}

void RouterThread::reconfigure(Link& link, build::RouterPlan plan) {
    const build::RouterPlan before = std::exchange(link.plan, std::move(plan));
    link.service.keep(kept_lists(link.plan));
    if (link.plan.config == before.config && link.plan.transport == before.transport) return;
    link.transport.configure(link.plan.transport);
    link.service.router().configure(link.plan.config, clock_.now().ms);
    link.transport.wake();
}

void RouterThread::let_go(std::unique_ptr<Link> link) {
    const auto now = clock_.now().ms;
    if (!link->plan.cleanup_on_shutdown) {
        link->service.router().stop(now);
        link->transport.stop();
        return;
    }
    link->retired_ms = now;
    link->service.router().cleanup(now);
    link->transport.wake();
    retired_.push_back(std::move(link));
}

void RouterThread::end_retired() {
    const auto now = clock_.now().ms;
    std::erase_if(retired_, [&](const std::unique_ptr<Link>& link) {
        if (!link->service.router().cleaned() && now - link->retired_ms < kCleanupMs) return false;
        link->service.router().stop(now);
        link->transport.stop();
        return true;
    });
}

void RouterThread::divide_lists() {
    std::vector<ClaimSink*> sinks;
    for (const auto& link : links_)
        sinks.push_back(&link->service);
    for (const auto& other : others_)
        sinks.push_back(other.get());
    lists_.configure(sinks);
}

void RouterThread::follow_routers() {
    if (!peers_) return;
    std::vector<PeerRouter> routers;
    for (const auto& link : links_) {
        routers.push_back({link->plan.config.name, link->service.lists(), &link->service.router(),
                           [at = link.get()] { at->transport.wake(); }});
    }
    peers_->follow(std::move(routers));
}

// ---- the operator

void RouterThread::visit(std::function<void(const std::vector<Seen>&, std::uint64_t now_ms)> f) {
    boost::asio::post(io_, [this, f = std::move(f)] {
        std::vector<Seen> all;
        for (const auto& link : links_)
            all.push_back(seen(*link));
        f(all, clock_.now().ms);
        for (const auto& link : links_)
            link->transport.wake();
    });
}

void RouterThread::pause(const std::string& name, bool on) {
    for (const auto& link : links_) {
        if (link->plan.config.name != name) continue;
        link->paused = on;
        obey(*link);
    }
}

void RouterThread::bypass(bool on) {
    bypass_.store(on, std::memory_order_relaxed);
    boost::asio::post(io_, [this] {
        for (const auto& link : links_)
            obey(*link);
        for (const auto& other : others_)
            other->pause(bypassed());
    });
}

void RouterThread::obey(Link& link) {
    const auto now = clock_.now().ms;
    if (link.paused || bypassed()) {
        link.service.router().pause(now);
    } else {
        link.service.router().resume(now);
    }
    link.transport.wake();
}

void RouterThread::when_quiet(std::string name, std::function<void()> done) {
    boost::asio::post(io_, [this, name = std::move(name), done = std::move(done)] {
        const auto until_ms = clock_.now().ms + kQuietMs;
        once([this, name, until_ms] { return is_quiet(name) || clock_.now().ms >= until_ms; },
             done);
    });
}

bool RouterThread::is_quiet(const std::string& name) const {
    return std::ranges::none_of(links_, [&](const auto& link) {
        return (name.empty() || link->plan.config.name == name) &&
               link->service.router().status().writes_in_flight > 0;
    });
}

void RouterThread::once(const std::function<bool()>& is_so, const std::function<void()>& then) {
    if (is_so()) return then();
    const auto timer = std::make_shared<boost::asio::steady_timer>(io_, kOnceEvery);
    timer->async_wait([this, is_so, then, timer](const boost::system::error_code& error) {
        if (!error) once(is_so, then);
    });
}

// ---- what workers say

// Pops all rings dry, then sleeps on the event descriptor; `going_to_sleep` before the last check, so that no push
// is missed.
void RouterThread::on_wake() {
    runtime_.routers_sleeper().awake();
    drain();
    flush_acknowledgements();
    runtime_.routers_sleeper().going_to_sleep();
    if (has_events()) {
        boost::asio::post(io_, [this] { on_wake(); });
        return;
    }
    timers_->wake.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this](const boost::system::error_code& error) {
                                 if (error) return;
                                 std::uint64_t count = 0;
                                 [[maybe_unused]] const auto n =
                                     ::read(timers_->wake.native_handle(), &count, sizeof count);
                                 on_wake();
                             });
}

void RouterThread::drain() {
    std::array<Event, 8> events;
    const auto now = clock_.now().ms;
    for (unsigned w = 0; w < runtime_.workers(); ++w) {
        for (unsigned done = 0; done < kEventsPerTurn;) {
            const unsigned n =
                runtime_.events(w).pop(events.data(), static_cast<unsigned>(events.size()));
            if (n == 0) break;
            for (unsigned i = 0; i < n; ++i)
                lists_.take(events[i], now);
            done += n;
        }
    }
    for (auto& link : links_)
        link->transport.wake();
    for (const auto& other : others_)
        other->flush();
    if (peers_) peers_->flush();
}

bool RouterThread::has_events() const {
    for (unsigned w = 0; w < runtime_.workers(); ++w) {
        if (!runtime_.events(w).empty()) return true;
    }
    return false;
}

// A standby's are published, and the writer writes them.
std::size_t RouterThread::unwritten(const Link& link) {
    const routeros::RouterStatus state = link.service.router().status();
    const bool writes = !state.away && !state.paused && state.role != routeros::Role::standby &&
                        !link.plan.cleanup_on_shutdown;
    return writes ? state.pending : 0;
}

std::size_t RouterThread::unwritten(const ClaimSink& sink) const {
    const SinkHealth health = sink.health();
    return health.away || bypassed() ? 0 : health.pending;
}

std::size_t RouterThread::unwritten() const {
    std::size_t rows = 0;
    for (const auto& link : links_)
        rows += unwritten(*link);
    for (const auto& other : others_)
        rows += unwritten(*other);
    return rows;
}

void RouterThread::log_unwritten() const {
    const auto say = [this](const std::string& name, std::size_t rows) {
        if (rows == 0) return;
        log_(routeros::Level::warning,
             name + ": " + std::to_string(rows) +
                 " rows of the last answers are not written; they are written when clients ask "
                 "again, or by another appliance of the fleet");
    };
    for (const auto& link : links_)
        say("router " + link->plan.config.name, unwritten(*link));
    for (const auto& other : others_)
        say(other->health().name, unwritten(*other));
}

void RouterThread::flush_acknowledgements() {
    if (acknowledger_.flush()) return;
    timers_->backlog.expires_after(1ms);
    timers_->backlog.async_wait([this](const boost::system::error_code& error) {
        if (!error) flush_acknowledgements();
    });
}

RouterThread::Seen RouterThread::seen(Link& link) {
    std::size_t shared = 0;
    for (const auto& list : link.plan.config.lists)
        shared += lists_.shared().shared(clock_.now().s(), list.id);
    return {link.plan.config.name, link.plan.config.address, link.service.router(), lists_.shared(),
            shared};
}

RouterThread::Status RouterThread::Seen::status() const {
    return {name, address, router.status(), router.counters(), shared_addresses};
}

void RouterThread::publish_copies() {
    std::vector<Status> fresh;
    std::vector<SinkHealth> sinks;
    std::vector<NeededList> needs;
    const std::uint64_t now_ms = clock_.now().ms;
    const auto add_needs = [&](const ClaimSink& sink) {
        for (NeededList& list : sink.needed(now_ms))
            needs.push_back(std::move(list));
    };
    for (const auto& link : links_) {
        add_needs(link->service);
        sinks.push_back(link->service.health());
        fresh.push_back(seen(*link).status());
    }
    for (const auto& other : others_) {
        add_needs(*other);
        if (!other->lists().empty()) sinks.push_back(other->health());
    }
    const std::lock_guard lock(mutex_);
    status_ = std::move(fresh);
    sinks_ = std::move(sinks);
    needed_ = std::move(needs);
}

void RouterThread::refresh(std::function<void()> done) {
    boost::asio::post(io_, [this, done = std::move(done)] {
        publish_copies();
        done();
    });
}

void RouterThread::publish_status() {
    heartbeat_.beat();
    end_retired();
    lists_.forget_ended(clock_.now().ms);
    publish_copies();
    timers_->status.expires_after(kStatusEvery);
    timers_->status.async_wait([this](const boost::system::error_code& error) {
        if (!error) publish_status();
    });
}

void RouterThread::stop(unsigned patience_ms) {
    if (!thread_.joinable()) return;
    std::promise<void> cleaned;
    auto done = cleaned.get_future();
    const auto has_ended = [this] {
        return (!peers_ || peers_->has_stopped()) &&
               std::ranges::all_of(links_, [](const auto& link) {
                   return !link->plan.cleanup_on_shutdown || link->service.router().cleaned();
               });
    };
    const auto end_all = [&] {
        log_unwritten();
        const auto now = clock_.now().ms;
        if (peers_) peers_->stop();
        for (const auto& link : links_) {
            if (!link->plan.cleanup_on_shutdown) continue;
            link->service.router().cleanup(now);
            link->transport.wake();
        }
        once(has_ended, [&] { cleaned.set_value(); });
    };
    std::size_t least = std::numeric_limits<std::size_t>::max();
    std::uint64_t until_ms = 0, progress_ms = 0;
    const auto is_enough = [&] {
        const std::size_t left = unwritten();
        const auto now = clock_.now().ms;
        if (left < least) progress_ms = now;
        least = std::min(least, left);
        return left == 0 || now >= until_ms || now >= progress_ms + kNothingWrittenMs;
    };
    boost::asio::post(io_, [&] {
        do {
            drain();
        } while (has_events());
        const auto now = clock_.now().ms;
        until_ms = now + kWriteMs;
        for (const auto& link : links_) {
            link->service.router().hurry(now);
            link->transport.wake();
        }
        once(is_enough, end_all);
    });
    done.wait_for(std::chrono::milliseconds(patience_ms));
    boost::asio::post(io_, [this] {
        for (const auto* const all : {&links_, &retired_}) {
            for (const auto& link : *all) {
                link->service.router().stop(clock_.now().ms);
                link->transport.stop();
            }
        }
        timers_->work.reset();
        timers_->wake.close();
        timers_->status.cancel();
        timers_->backlog.cancel();
        io_.stop();
    });
    thread_.join();
}

std::vector<RouterThread::Status> RouterThread::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

std::vector<SinkHealth> RouterThread::sinks() const {
    const std::lock_guard lock(mutex_);
    return sinks_;
}

std::vector<NeededList> RouterThread::needed() const {
    const std::lock_guard lock(mutex_);
    return needed_;
}

RouterThread::Outcomes RouterThread::outcomes() const {
    Outcomes all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = acknowledger_.outcomes[i].load(std::memory_order_relaxed);
    }
    return all;
}

}  // namespace steer
