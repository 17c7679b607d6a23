#include "tools/fleet_sim/pop.h"

#include <algorithm>

#include "dataplane/dns/name.h"
#include "routeros/router.h"

namespace steer::fleet_sim {
namespace {

constexpr std::int64_t kNever = INT64_MAX;
constexpr std::int64_t kLagUs =
    10'000'000;  // of rows whose answers did not wait; shorter leases are not judged

std::int64_t us_of(std::uint64_t ms) {
    return ms >= static_cast<std::uint64_t>(kNever) / 1000 ? kNever
                                                           : static_cast<std::int64_t>(ms) * 1000;
}

rossim::Options router_options(const Settings& settings, unsigned number) {
    rossim::Options options;
    options.name = "router" + std::to_string(number);
    options.costs = rossim::built_in_presets().get(settings.preset);
    options.latency_us = settings.router_latency_us;
    return options;
}

}  // namespace

// Counts the time of the product's code; nested calls once.
class Pop::Stopwatch {
  public:
    explicit Stopwatch(Pop& pop) : pop_(pop) {
        if (pop_.in_product_++ == 0) begin_ = std::chrono::steady_clock::now();
    }
    ~Stopwatch() {
        if (--pop_.in_product_ > 0) return;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
        pop_.product_s_ += took.count();
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

  private:
    Pop& pop_;
    std::chrono::steady_clock::time_point begin_;
};

Pop::Pop(const Settings& settings, const Names& names, unsigned number, rte_rcu_qsbr* readers)
    : settings_(settings),
      names_(names),
      dice_(settings.seed * 1'000'003 + number),
      redis_(settings.pops, [this](RedisModel::ClientId client, std::string_view bytes) {
          const auto line =
              std::ranges::find_if(lines_, [client](const auto& one) { return one->id == client; });
          if (line == lines_.end()) return;
          packets_.emplace(now_us_ + settings_.redis_latency_us,
                           Packet{line->get(), client, false, false, std::string(bytes)});
      }) {
    const unsigned routers = settings.routers_of_pop(), boxes = settings.boxes_of_pop();
    for (unsigned r = 0; r < routers; ++r) {
        auto sim = std::make_unique<rossim::Router>(
            router_options(settings, r), [this, r](const rossim::Commit& c) { note(r, c); });
        rossim::Router& ref = *sim;
        ref.advance(now_us_);
        routers_.push_back(std::unique_ptr<SimulatedRouter>(new SimulatedRouter{
            .owned = std::move(sim), .sim = ref, .until_us = {}, .sessions = {}}));
    }
    for (unsigned b = 0; b < boxes; ++b) {
        std::vector<routeros::RouterLink*> links;
        for (unsigned r = 0; r < routers; ++r) {
            sessions_.push_back(std::make_unique<Session>());
            sessions_.back()->pop = this;
            sessions_.back()->box = b;
            sessions_.back()->router = r;
            links.push_back(sessions_.back().get());
        }
        for (const bool is_messages : {false, true}) {
            lines_.push_back(std::make_unique<RedisLine>());
            lines_.back()->pop = this;
            lines_.back()->box = b;
            lines_.back()->is_messages = is_messages;
        }
        boxes_.push_back(std::make_unique<Box>(b, settings, "pop" + std::to_string(number), names,
                                               readers, *this, links, *lines_[std::size_t{2} * b],
                                               *lines_[std::size_t{2} * b + 1]));
    }
    engine_us_.assign(std::size_t{boxes} * routers, kNever);
    is_dirty_.assign(engine_us_.size(), false);
    router_us_.assign(routers, kNever);
    box_us_.assign(boxes, kNever);
    if (!settings.arrivals_file.empty() && number == 0) arrivals_.open(settings.arrivals_file);
    for (unsigned b = 0; b < boxes; ++b) {
        boxes_[b]->start(now_ms());
        // Processes do not start at the same time.
        const auto tick = static_cast<std::int64_t>(boxes_[b]->fleet().tick_ms()) * 1000;
        tick_us_.push_back(now_us_ + tick * (b + 1) / boxes);
        work_box(b);
    }
}

// ---- links

void Pop::Session::connect() {
    connecting = true;
    pop->touched(box, router);
}

void Pop::Session::close() {
    connecting = false;
    if (!id) return;
    pop->routers_[router]->sessions.erase(*id);
    pop->routers_[router]->sim.close(*id, pop->now_us_);
    id.reset();
}

void Pop::Session::send(std::string_view bytes) {
    if (!id) return;
    pop->routers_[router]->sim.feed(*id, bytes, pop->now_us_);
    pop->touched(box, router);
}

fleet::RedisConnection& Pop::RedisLine::user() const {
    fleet::Fleet& fleet = pop->boxes_[box]->fleet();
    return is_messages ? fleet.messages() : fleet.commands();
}

void Pop::RedisLine::connect() {
    id = pop->redis_.open();
    pop->packets_.emplace(pop->now_us_ + 2 * std::int64_t{pop->settings_.redis_latency_us},
                          Packet{this, *id, false, true, {}});
}

void Pop::RedisLine::close() {
    if (id) pop->redis_.close(*id);
    id.reset();
}

void Pop::RedisLine::send(std::string_view bytes) {
    if (!id) return;
    pop->packets_.emplace(pop->now_us_ + pop->settings_.redis_latency_us,
                          Packet{this, *id, true, false, std::string(bytes)});
}

// ---- the loop

void Pop::touched(unsigned box, unsigned router) {
    const std::size_t at = engine(box, router);
    if (is_dirty_[at]) return;
    is_dirty_[at] = true;
    dirty_.push_back(at);
}

std::int64_t Pop::next_us() const {
    std::int64_t next = std::min(arrival_us_, redis_.next_us());
    if (!packets_.empty()) next = std::min(next, packets_.begin()->first);
    for (const auto* const all : {&engine_us_, &router_us_, &box_us_, &tick_us_})
        next = std::min(next, *std::ranges::min_element(*all));
    return std::max(next, now_us_);
}

void Pop::run_until(std::int64_t to_us) {
    for (std::int64_t next = next_us(); next < to_us; next = next_us())
        step(next);
    now_us_ = to_us;
}

bool Pop::settle_down(std::int64_t within_us) {
    const std::int64_t end_us = now_us_ + within_us;
    const auto is_ready = [this] {
        for (std::size_t r = 0; r < routers_.size(); ++r) {
            unsigned writers = 0;
            for (const auto& box : boxes_) {
                const routeros::RouterStatus status =
                    box->router(static_cast<unsigned>(r)).status();
                if (status.state != routeros::RouterState::in_sync || status.away) return false;
                writers += status.role == routeros::Role::writer;
            }
            if (writers != 1) return false;
        }
        return true;
    };
    while (!is_ready()) {
        if (now_us_ >= end_us) return false;
        run_until(now_us_ + 100'000);
    }
    return true;
}

void Pop::reboot(std::int64_t down_us) {
    is_rebooted_ = true;
    routers_.front()->sim.reboot(down_us, now_us_);
    work_router(0);
}

bool Pop::check_repaired() {
    is_rebooted_ = std::ranges::none_of(boxes_, [](const auto& box) {
        const routeros::RouterStatus status = box->router(0).status();
        return status.role == routeros::Role::writer && status.writes &&
               status.state == routeros::RouterState::in_sync && status.pending == 0;
    });
    return !is_rebooted_;
}

void Pop::step(std::int64_t at_us) {
    now_us_ = at_us;
    for (std::size_t r = 0; r < router_us_.size(); ++r) {
        if (router_us_[r] <= now_us_) work_router(r);
    }
    work_redis();
    for (unsigned b = 0; b < box_us_.size(); ++b) {
        if (box_us_[b] <= now_us_ || tick_us_[b] <= now_us_) work_box(b);
    }
    for (std::size_t e = 0; e < engine_us_.size(); ++e) {
        if (engine_us_[e] > now_us_) continue;
        const auto b = static_cast<unsigned>(e / routers_.size());
        const auto r = static_cast<unsigned>(e % routers_.size());
        {
            const Stopwatch watch(*this);
            boxes_[b]->router(r).tick(now_ms());
        }
        touched(b, r);
    }
    judge_late();
    if (arrival_us_ <= now_us_) arrive();
    while (!dirty_.empty()) {
        const std::size_t e = dirty_.back();
        dirty_.pop_back();
        is_dirty_[e] = false;
        if (sessions_[e]->connecting) connect(*sessions_[e]);
        const auto b = static_cast<unsigned>(e / routers_.size());
        const auto r = static_cast<unsigned>(e % routers_.size());
        collect(r);
        engine_us_[e] = us_of(boxes_[b]->router(r).next_deadline());
        box_us_[b] = std::min(box_us_[b], us_of(boxes_[b]->next_ms()));
    }
}

void Pop::connect(Session& session) {
    session.connecting = false;
    SimulatedRouter& router = *routers_[session.router];
    session.id = router.sim.open(now_us_);
    const Stopwatch watch(*this);
    routeros::Router& engine = boxes_[session.box]->router(session.router);
    if (session.id) {
        router.sessions[*session.id] = &session;
        engine.connected(now_ms());
    } else {
        engine.closed("connection refused", now_ms());
    }
    touched(session.box, session.router);
}

void Pop::work_router(std::size_t router) {
    routers_[router]->sim.advance(now_us_);
    collect(router);
}

// Hands over what the router sent.
void Pop::collect(std::size_t router) {
    SimulatedRouter& from = *routers_[router];
    for (const auto& output : from.sim.take_output()) {
        const auto at = from.sessions.find(output.session);
        if (at == from.sessions.end()) continue;
        Session& session = *at->second;
        routeros::Router& engine = boxes_[session.box]->router(session.router);
        const Stopwatch watch(*this);
        touched(session.box, session.router);
        if (!output.bytes.empty()) engine.received(output.bytes, now_ms());
        if (!output.close || session.id != output.session) continue;
        from.sessions.erase(output.session);
        session.id.reset();
        engine.closed("closed by the router", now_ms());
    }
    router_us_[router] = from.sim.next_event_us().value_or(kNever);
}

void Pop::work_redis() {
    redis_.advance(now_us_);
    while (!packets_.empty() && packets_.begin()->first <= now_us_) {
        const Packet packet = std::move(packets_.begin()->second);
        packets_.erase(packets_.begin());
        if (packet.line->id != packet.client) continue;  // an earlier connection
        if (packet.to_server) {
            redis_.receive(packet.client, packet.bytes, now_us_);
        } else {
            const Stopwatch watch(*this);
            if (packet.is_connect)
                packet.line->user().connected(now_ms());
            else
                packet.line->user().received(packet.bytes, now_ms());
        }
        box_us_[packet.line->box] = now_us_;  // its deadlines are others
    }
}

void Pop::work_box(unsigned box) {
    Box& b = *boxes_[box];
    const Stopwatch watch(*this);
    b.release(now_ms());
    for (fleet::RedisConnection* const line : {&b.fleet().commands(), &b.fleet().messages()}) {
        if (line->next_deadline() <= now_ms()) line->tick(now_ms());
    }
    if (tick_us_[box] <= now_us_) {
        b.tick(now_ms());
        tick_us_[box] = now_us_ + static_cast<std::int64_t>(b.fleet().tick_ms()) * 1000;
    }
    box_us_[box] = us_of(std::min(
        {b.next_ms(), b.fleet().commands().next_deadline(), b.fleet().messages().next_deadline()}));
}

// ---- clients

void Pop::open() {
    opened_us_ = now_us_;
    schedule_arrival();
}

void Pop::schedule_arrival() {
    const double per_second =
        static_cast<double>(settings_.clients_of_pop()) * settings_.rate * names_.share();
    arrival_us_ = now_us_ + static_cast<std::int64_t>(dice_.wait_s(per_second) * 1e6);
}

// A client of any router asks the box that anycast gives it.
void Pop::arrive() {
    schedule_arrival();
    const std::uint64_t per_router =
        std::max<std::uint64_t>(settings_.clients_of_pop() / routers_.size(), 1);
    const auto router = static_cast<unsigned>(dice_.below(routers_.size()));
    const std::uint64_t client = dice_.below(per_router);
    const auto box = static_cast<unsigned>(client % boxes_.size());
    const std::array<std::uint8_t, 4> address{10, static_cast<std::uint8_t>(router),
                                              static_cast<std::uint8_t>(client >> 8),
                                              static_cast<std::uint8_t>(client)};
    const IpAddress from = IpAddress::from_v4(address.data());
    const std::uint32_t question = names_.draw(dice_);
    if (arrivals_.is_open()) {
        const Question& q = names_.questions()[question];
        arrivals_ << now_us_ - opened_us_ << ' ' << box << ' ' << router << ' ' << from.to_string()
                  << ' ' << dns::name_to_text(q.qname) << ' ' << (q.is_v6 ? "AAAA" : "A") << '\n';
    }
    const Stopwatch watch(*this);
    boxes_[box]->ask(question, router, from, now_ms());
    box_us_[box] = std::min(box_us_[box], us_of(boxes_[box]->next_ms()));
}

// ---- the judge

void Pop::note(std::size_t router, const rossim::Commit& commit) {
    if (router >= routers_.size() || commit.is_route) return;
    auto& rows = routers_[router]->until_us;
    switch (commit.change) {
        case rossim::Change::add:
        case rossim::Change::set:
            rows[std::string(commit.address)] =
                commit.left_us ? commit.t_ns / 1000 + *commit.left_us : kNever;
            break;
        case rossim::Change::remove:
        case rossim::Change::expire:
            rows.erase(std::string(commit.address));
            break;
        case rossim::Change::reboot:
            rows.clear();
            break;
        case rossim::Change::up:
            break;
    }
}

void Pop::left(const LeftAnswer& answer) {
    const std::int64_t end_us = now_us_ + std::int64_t{answer.ttl_s} * 1'000'000;
    if (!settings_.async)
        judge(answer, end_us);
    else if (end_us > now_us_ + kLagUs)
        unjudged_.emplace(now_us_ + kLagUs, std::pair{answer, end_us});
}

void Pop::judge(const LeftAnswer& answer, std::int64_t end_us) {
    const auto& rows = routers_[answer.router]->until_us;
    for (const std::string& address : names_.questions()[answer.question].addresses) {
        if (is_rebooted_ && answer.router == 0) {
            ++judged_.unjudged;
            continue;
        }
        ++judged_.leases;
        const auto row = rows.find(address);
        if (row == rows.end())
            ++judged_.missing;
        else if (row->second < end_us)
            ++judged_.short_of;
    }
}

void Pop::judge_late() {
    while (!unjudged_.empty() && unjudged_.begin()->first <= now_us_) {
        const auto [answer, end_us] = unjudged_.begin()->second;
        unjudged_.erase(unjudged_.begin());
        judge(answer, end_us);
    }
}

std::size_t Pop::rows(std::size_t router) const {
    return routers_[router]->sim.row_count(rossim::Family::ipv4) +
           routers_[router]->sim.row_count(rossim::Family::ipv6);
}

}  // namespace steer::fleet_sim
