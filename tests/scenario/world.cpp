#include "scenario/world.h"

#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "dataplane/stages/frame.h"
#include "support/dns_message.h"

namespace steer::test {
namespace {

constexpr int kWire = 1;  // if_index of every wire
constexpr MacAddress kGatewayMac{2, 0, 0, 0, 1, 1};
constexpr std::int64_t kWallAtZeroNs =
    1'767'225'600'000'000'000;  // 2026-01-01: the journal's clock
constexpr Ms kIdleStep = 50;    // ms that may be skipped where nothing is in progress
const IpAddress kService4 = *IpAddress::parse("192.0.2.53");
const IpAddress kService6 = *IpAddress::parse("2001:db8::53");

std::uint16_t u16(std::span<const std::uint8_t> b, std::size_t at) {
    return static_cast<std::uint16_t>(b[at] * 256 + b[at + 1]);
}

// RFC 7871 6: family, source and scope prefix length, address.
// The name that the CNAMEs among an answer's records lead to.
std::string end_of_chain(std::string name, const std::vector<SeenRecord>& records) {
    for (const auto& r : records) {
        if (r.type == dns::kCname && r.name == name) name = r.data;
    }
    return name;
}

std::string ecs_text(std::span<const std::uint8_t> option) {
    std::array<std::uint8_t, 16> address{};
    std::copy(option.begin() + 4, option.end(), address.begin());
    const IpAddress ip = u16(option, 0) == 1 ? IpAddress::from_v4(address.data())
                                             : IpAddress::from_v6(address.data());
    return ip.to_string() + "/" + std::to_string(option[2]) + "/" + std::to_string(option[3]);
}

Bytes ecs_option(const std::string& text) {
    const auto first = text.find('/');
    const auto second = text.find('/', first + 1);
    const auto address = IpAddress::parse(text.substr(0, first)).value();
    const auto source = static_cast<std::uint8_t>(std::stoul(text.substr(first + 1)));
    const auto scope = static_cast<std::uint8_t>(std::stoul(text.substr(second + 1)));
    const std::size_t bytes = (source + 7U) / 8;
    const std::uint8_t* const from = address.is_v4() ? address.v4() : address.bytes.data();
    Bytes option(8 + bytes);
    option[1] = 8;
    option[3] = static_cast<std::uint8_t>(bytes + 4);
    option[5] = address.is_v4() ? 1 : 2;
    option[6] = source;
    option[7] = scope;
    std::copy(from, from + bytes, option.begin() + 8);
    return option;
}

constexpr std::size_t kLongOption = 32;

std::string option_text(unsigned code, std::span<const std::uint8_t> data) {
    std::ostringstream out;
    out << code << ':';
    if (data.size() > kLongOption) {
        out << '*' << data.size();
    } else {
        out << std::hex << std::setfill('0');
        for (const unsigned byte : data)
            out << std::setw(2) << byte;
    }
    return out.str();
}

// "65001:aabb 65002:*100": the latter of zeros.
Bytes options_of(const std::string& text) {
    Bytes out;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const auto colon = word.find(':');
        const std::string hex = word.substr(colon + 1);
        Bytes data;
        if (hex.starts_with('*')) data.resize(std::stoul(hex.substr(1)));
        for (std::size_t i = 0; !hex.starts_with('*') && i + 1 < hex.size(); i += 2)
            data.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
        for (const std::size_t v : {std::size_t{std::stoul(word.substr(0, colon))}, data.size()}) {
            out.push_back(static_cast<std::uint8_t>(v >> 8));
            out.push_back(static_cast<std::uint8_t>(v));
        }
        out.insert(out.end(), data.begin(), data.end());
    }
    return out;
}

// An HTTPS record of stories: priority 1, the target `.`, and one parameter with one address, which begins here. Or
// priority 1 and another target.
constexpr std::size_t kHintAt = 7, kHttpsTargetAt = 2;

constexpr std::size_t kSrvTargetAt = 6, kMxTargetAt = 2;

// Reads what the product wrote, which the packet tests check for form: a fault here is an exception.
class Reader {
  public:
    explicit Reader(std::span<const std::uint8_t> message) : message_(message) {
        starts_.allow(12, 16384);
    }
    std::string name() {
        dns::Name n;
        at_ = dns::read_name(message_, at_, starts_, &n);
        if (at_ == 0) throw std::runtime_error("an answer holds a name that does not parse");
        return dns::name_to_text(n.bytes());
    }
    std::uint16_t word() {
        at_ += 2;
        return u16(message_, at_ - 2);
    }
    SeenRecord record() {
        SeenRecord r;
        r.name = name();
        r.type = word();
        word();
        r.ttl_s = word() * 65536U;
        r.ttl_s += word();
        const std::size_t length = word();
        const std::size_t end = at_ + length;
        if (end > message_.size()) throw std::runtime_error("a record is cut off");
        if (r.type == dns::kA) r.data = IpAddress::from_v4(message_.data() + at_).to_string();
        if (r.type == dns::kAaaa) r.data = IpAddress::from_v6(message_.data() + at_).to_string();
        if (r.type == dns::kCname || r.type == dns::kPtr || r.type == dns::kDname ||
            r.type == dns::kNs || r.type == dns::kSoa)
            r.data = name();
        if (r.type == dns::kTxt || r.type == dns::kHinfo) {  // its first string
            const auto* const text = reinterpret_cast<const char*>(&message_[at_]);
            r.data.assign(text + 1, message_[at_]);
        }
        if (r.type == dns::kSrv || r.type == dns::kMx) {
            at_ += r.type == dns::kSrv ? kSrvTargetAt : kMxTargetAt;
            r.data = name();
        }
        if (r.type == dns::kHttps && message_[at_ + kHttpsTargetAt] != 0) {
            at_ += kHttpsTargetAt;
            r.data = name();
            at_ = end;
            return r;
        }
        if (r.type == dns::kHttps && length == kHintAt + 4)
            r.data = IpAddress::from_v4(&message_[at_ + kHintAt]).to_string();
        constexpr std::size_t kNextHintAt = kHintAt + 4 + 4;
        if (r.type == dns::kHttps && length == kNextHintAt + 16)  // both, written with '+' between
            r.data = IpAddress::from_v4(&message_[at_ + kHintAt]).to_string() + "+" +
                     IpAddress::from_v6(&message_[at_ + kNextHintAt]).to_string();
        if (r.type == dns::kHttps && length == kHintAt + 16)
            r.data = IpAddress::from_v6(&message_[at_ + kHintAt]).to_string();
        if (r.type == dns::kHttps && r.data.empty()) r.data = "-";
        at_ = end;
        return r;
    }
    // The next record: the OPT, or one of the others.
    void opt(SeenEdns& out, std::vector<SeenRecord>& others) {
        if (message_[at_] != 0 || u16(message_, at_ + 1) != dns::kOpt) {
            others.push_back(record());
            return;
        }
        out.present = true;
        out.dnssec_ok = (message_[at_ + 7] & 0x80) != 0;
        out.extended_rcode = message_[at_ + 5];
        std::size_t left = u16(message_, at_ + 9);
        at_ += 11;
        while (left >= 4) {
            const unsigned code = word();
            const std::size_t length = word();
            if (length + 4 > left || at_ + length > message_.size())
                throw std::runtime_error("an option is cut off");
            if (code == 15) out.ede = u16(message_, at_);
            if (code == 8) out.ecs = ecs_text(message_.subspan(at_, length));
            if (code == dns::kOptionCookie) {
                const std::string text = option_text(code, message_.subspan(at_, length));
                out.cookie = text.substr(text.find(':') + 1);
            } else if (code != 8 && code != 15) {
                out.options += (out.options.empty() ? "" : " ") +
                               option_text(code, message_.subspan(at_, length));
            }
            at_ += length;
            left -= length + 4;
        }
    }
    std::size_t at_ = 12;

  private:
    std::span<const std::uint8_t> message_;
    dns::NameStarts starts_;
};

Bytes rdata_of(const SeenRecord& r) {
    if (r.type == dns::kCname || r.type == dns::kPtr || r.type == dns::kDname || r.type == dns::kNs)
        return wire_name(r.data);
    if (r.type == dns::kDs) return Bytes(r.data.begin(), r.data.end());
    if (r.type == dns::kSrv || r.type == dns::kMx) {
        Bytes rdata(r.type == dns::kSrv ? kSrvTargetAt : kMxTargetAt);
        const Bytes target = wire_name(r.data);
        rdata.insert(rdata.end(), target.begin(), target.end());
        return rdata;
    }
    const auto address = IpAddress::parse(r.data);
    if (!address && (r.type == dns::kHttps || r.type == dns::kSvcb)) {
        Bytes rdata{0, 1};
        const Bytes target = wire_name(r.data);
        rdata.insert(rdata.end(), target.begin(), target.end());
        return rdata;
    }
    if (!address) throw std::runtime_error("not an address: " + r.data);
    const bool is_four = address->is_v4() && r.type != dns::kAaaa && !r.data.starts_with("::ffff:");
    const Bytes bytes = is_four ? Bytes(address->v4(), address->v4() + 4)
                                : Bytes(address->bytes.begin(), address->bytes.end());
    if (r.type != dns::kHttps) return bytes;
    const std::uint8_t key = is_four ? 4 : 6;  // ipv4hint, ipv6hint
    Bytes hint{0, 1, 0, 0, key, 0, static_cast<std::uint8_t>(bytes.size())};
    hint.insert(hint.end(), bytes.begin(), bytes.end());
    return hint;
}

// The words of RouterOS sentences as they leave us, joined by blanks: "add list=x address=y timeout=1m".
class SentenceReader {
  public:
    void feed(std::string_view bytes, std::deque<std::string>& out) {
        pending_ += bytes;
        std::size_t at = 0;
        while (at < pending_.size()) {
            const auto first = static_cast<unsigned char>(pending_[at]);
            std::size_t length = first;
            std::size_t prefix = 1;
            if (first >= 0xe0) {
                prefix = 4;
                length = first & 0x0fU;
            } else if (first >= 0xc0) {
                prefix = 3;
                length = first & 0x1fU;
            } else if (first >= 0x80) {
                prefix = 2;
                length = first & 0x3fU;
            }
            if (pending_.size() < at + prefix) break;
            for (std::size_t i = 1; i < prefix; ++i)
                length = length * 256 + static_cast<unsigned char>(pending_[at + i]);
            if (pending_.size() < at + prefix + length) break;
            word(pending_.substr(at + prefix, length), out);
            at += prefix + length;
        }
        pending_.erase(0, at);
    }
    void reset() { pending_.clear(), sentence_.clear(); }

  private:
    void word(std::string text, std::deque<std::string>& out) {
        if (text.empty()) {
            if (!sentence_.empty()) out.push_back(std::move(sentence_));
            sentence_.clear();
            return;
        }
        if (text.starts_with(".tag=")) return;
        if (text.starts_with('/')) text = text.substr(text.rfind('/') + 1);
        if (text.starts_with('=')) text.erase(0, 1);
        sentence_ += (sentence_.empty() ? "" : " ") + text;
    }
    std::string pending_, sentence_;
};

}  // namespace

// The TCP connection between an engine and a simulated router; both have the same clock.
class World::Link final : public routeros::RouterLink {
  public:
    Link(World& world, std::string name, rossim::Router& router)
        : world_(world), name_(std::move(name)), router_(router) {}

    void connect() override { state_ = State::wanted; }
    void close() override {
        if (state_ == State::open) router_.close(session_, world_.router_time_us());
        state_ = State::idle;
        outgoing_.clear();
    }
    void send(std::string_view bytes) override { outgoing_ += bytes; }

    // Moves what is ready; true if something moved.
    bool turn(routeros::Router& engine) {
        const auto now_us = world_.router_time_us();
        bool moved = false;
        if (state_ == State::wanted) {
            const auto session = router_.open(now_us);
            state_ = session ? State::open : State::idle;
            if (session) {
                session_ = *session;
                reader_.reset();
                engine.connected(world_.clock_.ms);
            } else {
                engine.closed("connection refused", world_.clock_.ms);
            }
            moved = true;
        }
        if (state_ == State::open && !outgoing_.empty()) {
            const std::string bytes = std::exchange(outgoing_, {});
            reader_.feed(bytes, world_.sentences[name_]);
            router_.feed(session_, bytes, now_us);
            moved = true;
        }
        router_.advance(now_us);
        for (auto& out : router_.take_output()) {
            if (state_ != State::open || out.session != session_) continue;
            moved = true;
            if (!out.bytes.empty()) engine.received(out.bytes, world_.clock_.ms);
            if (out.close && state_ == State::open) {
                state_ = State::idle;
                engine.closed("connection closed by the router", world_.clock_.ms);
            }
        }
        return moved;
    }
    [[nodiscard]] bool busy() const { return state_ == State::wanted || !outgoing_.empty(); }

  private:
    enum class State : std::uint8_t { idle, wanted, open };
    World& world_;
    std::string name_;
    rossim::Router& router_;
    rossim::SessionId session_ = 0;
    State state_ = State::idle;
    std::string outgoing_;
    SentenceReader reader_;
};

World::World(const WorldOptions& options) : options_(options) {
    clock_.ms = options.uptime;
    start_ = clock_.ms - options.elapsed;
    if (!options.dns_log.empty()) dns_log_.open(options.dns_log);
    if (!options.journal.empty()) journal_.open(options.journal);
    build(options);
    make_sites();
    for (unsigned w = 0; w < options.workers; ++w) {
        rte_rcu_qsbr_thread_register(runtime_->shared().qsbr, w);
        rte_rcu_qsbr_thread_online(runtime_->shared().qsbr, w);
    }
    for (auto& [name, site] : sites_)
        site.service->router().start(clock_.ms);
    settle();
}

World::~World() {
    for (const auto& [name, site] : sites_) {  // how far the journal can be trusted
        if (journal_.is_open())
            journal_ << "{\"t_ns\":" << wall_ns() << ",\"router\":\"" << name
                     << "\",\"op\":\"end\"}\n";
    }
    for (unsigned w = 0; w < options_.workers; ++w) {
        rte_rcu_qsbr_thread_offline(runtime_->shared().qsbr, w);
        rte_rcu_qsbr_thread_unregister(runtime_->shared().qsbr, w);
    }
}

build::Built World::built_of(const std::string& file) {
    config::LoadOptions load;
    load.environment = [&](const std::string& variable) -> std::optional<std::string> {
        const auto at = options_.environment.find(variable);
        if (at != options_.environment.end()) return at->second;
        const char* const value = std::getenv(variable.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    };
    auto loaded = config::load(file, load);
    if (!loaded.ok()) throw std::runtime_error(loaded.errors.front().sentence());
    settings_ = std::move(loaded.settings);
    build::Surroundings around;
    around.own_addresses = {kService4, kService6};
    for (const char* all : {"0.0.0.0/0", "::/0"})
        around.own_networks.push_back(*matchers::Prefix::parse(all));
    around.now = wall();
    auto built = build::build(settings_, around, registry_);
    if (!built.ok()) throw std::runtime_error(built.errors.front().sentence());
    return built;
}

void World::build(const WorldOptions& options) {
    auto built = built_of(options.config);
    plans_ = std::move(built.routers);
    sets_ = std::move(built.sets);
    windows_.follow(std::move(built.windows), wall());

    RuntimeOptions runtime;
    runtime.worker.workers = options.workers;
    runtime.worker.max_parked = std::min(settings_.dataplane.max_parked, 4096U);
    runtime.worker.max_in_flight = 4096;
    runtime.board_rows = 65'536;
    for (const auto& instance : built.snapshot->caches) {
        runtime.cache_bytes = std::size_t{8} << 20;
        runtime.cache_shards = options.workers;
        runtime.cache_entries.resize(
            std::max<std::size_t>(runtime.cache_entries.size(), instance.id + 1U));
        runtime.cache_entries[instance.id] = instance.size;
    }
    runtime_ = std::make_unique<DataplaneRuntime>(runtime);
    publisher_ = std::make_unique<build::Publisher>(runtime_->shared());
    hops_ = std::make_unique<Published<NextHopTable>>(runtime_->shared().next_hops,
                                                      runtime_->shared().qsbr);
    for (unsigned w = 0; w < options.workers; ++w) {
        static unsigned wires = 0;  // names of rings are unique in the process
        wires_.push_back(std::make_unique<RingPort>("wire" + std::to_string(wires++), kWire));
        runtime_->add_worker({&wires_.back()->port()}, clock_);
    }
    make_hops(*built.snapshot);
    cookie_keys_ = std::make_unique<Published<dns::CookieKeys>>(runtime_->shared().cookie_keys,
                                                                runtime_->shared().qsbr);
    put_cookie_keys();
    auto published = publisher_->publish(built.snapshot, clock_.now());
    if (!published) throw std::runtime_error(published.error().sentence());
}

void World::reload(const std::string& file) {
    auto built = built_of(file);
    sets_ = std::move(built.sets);
    put_cookie_keys();
    auto published = publisher_->publish(built.snapshot, clock_.now());
    if (!published) throw std::runtime_error(published.error().sentence());
    settle();
}

void World::put_cookie_keys() {
    constexpr config::CookieSecretBytes kOwn{0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f,
                                             0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
    const auto& secrets = settings_.cookies.secrets;
    auto keys = std::make_unique<dns::CookieKeys>(
        cookie_keys(secrets.empty() ? std::vector{kOwn} : secrets));
    const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(wall().time_since_epoch());
    keys->clock_s = static_cast<std::uint32_t>(now_s.count()) - clock_.now().s();
    cookie_keys_->put(std::move(keys));
}

void World::pause(const std::string& adlist, Ms length) {
    for (const AdList& list : publisher_->current()->ad_lists) {
        if (list.tag != adlist) continue;
        const auto until = clock_.now().s() + static_cast<std::uint32_t>(length / 1000);
        return list.paused_until_s->store(until, std::memory_order_relaxed);
    }
    throw std::runtime_error("the configuration has no adlist '" + adlist + "'");
}

void World::make_hops(const Snapshot& snapshot) {
    auto table = std::make_unique<NextHopTable>();
    for (const auto& upstream : snapshot.upstreams) {
        if (table->by_upstream.size() <= upstream.id) table->by_upstream.resize(upstream.id + 1U);
        auto& hop = table->by_upstream[upstream.id];
        hop.via = NextHop::Via::port;
        hop.if_index = kWire;
        hop.peer_mac = kGatewayMac;
        hop.own_mac = wires_.front()->port().mac();
        hop.source = upstream.address.is_v4() ? kService4 : kService6;
    }
    table->service_addresses = {kService4, kService6};
    std::sort(table->service_addresses.begin(), table->service_addresses.end());
    table->own_addresses = table->service_addresses;
    table->service_ports = {53};
    table->dropped_ports = settings_.dataplane.drop_source_ports;
    hops_->put(std::move(table));
}

void World::make_sites() {
    acknowledger_ = std::make_unique<Acknowledger>(*runtime_);
    lists_ = std::make_unique<ListService>(
        *runtime_, *acknowledger_,
        [this](const std::string& sentence) { log.push_back(sentence); });
    std::vector<ClaimSink*> sinks;
    for (auto& plan : plans_) {
        const std::string name = plan.config.name;
        const RouterOptions wish =
            options_.routers.contains(name) ? options_.routers.at(name) : RouterOptions{};
        rossim::Options sim;
        sim.name = name;
        if (!wish.preset.empty()) sim.costs = rossim::built_in_presets().get(wish.preset);
        sim.latency_us = wish.latency_us;
        sim.version = wish.version;
        sim.wall_at_zero_ns = kWallAtZeroNs;
        sim.uptime_at_zero_s = 86'400;
        sim.users = {{plan.config.username,
                      std::string(plan.config.password.text()),
                      {"read", "write", "api"}}};
        auto& site = sites_[name];
        site.router = std::make_unique<rossim::Router>(sim, [this](const rossim::Commit& commit) {
            if (journal_.is_open()) journal_ << rossim::to_json_line(commit);
        });
        for (const auto& [list, count] : wish.prefill)
            site.router->prefill(rossim::Family::ipv4, list, count, 0);
        site.link = std::make_unique<Link>(*this, name, *site.router);
        routeros::RouterConfig config = plan.config;
        config.probe = false;  // the stories are of rows; unit_routeros has the probe
        site.service = std::make_unique<RouterService>(
            config, kept_lists(plan), *site.link, *lists_,
            [this](routeros::Level, const std::string& sentence) { log.push_back(sentence); });
        sinks.push_back(site.service.get());
    }
    lists_->configure(sinks);
}

DumpScope World::scope_of(const CacheInstance& cache) const {
    DumpScope scope{cache.id, "cache" + std::to_string(cache.id), {}};
    for (const auto& [list, routers] : registry_.list_names())
        scope.lists.push_back({list, routers});
    return scope;
}

void World::dump_caches(const std::string& folder) {
    for (const auto& cache : publisher_->current()->caches) {
        const DumpScope scope = scope_of(cache);
        auto done = dump_instance(*runtime_->shared().cache, kWalkReader, scope, clock_.now(),
                                  wall_ns() / 1'000'000, folder + "/" + scope.tag);
        if (!done) throw std::runtime_error(done.error().sentence());
    }
}

void World::restore_caches(const std::string& folder) {
    for (const auto& cache : publisher_->current()->caches) {
        const DumpScope scope = scope_of(cache);
        auto& shared = runtime_->shared();
        auto done = restore_instance(*shared.cache, *shared.hasher, scope, clock_.now(),
                                     wall_ns() / 1'000'000, folder + "/" + scope.tag,
                                     as_the_cache_writers(*shared.cache, clock_.now()));
        if (!done) throw std::runtime_error(done.error().sentence());
    }
}

// Everything that is ready, once. True if something was.
bool World::step_once() {
    bool did = false;
    for (unsigned w = 0; w < options_.workers; ++w)
        did = runtime_->worker(w).poll(clock_.now()) || did;
    did = drain_wires() || did;
    did = drain_events() || did;
    for (auto& [name, site] : sites_) {
        if (site.service->router().next_deadline() <= clock_.ms)
            site.service->router().tick(clock_.ms);
        did = site.link->turn(site.service->router()) || did;
    }
    acknowledger_->flush();
    return did;
}

void World::settle() {
    windows_.update(wall());
    while (!agenda_.empty() && agenda_.begin()->first <= elapsed()) {
        const auto what = std::move(agenda_.begin()->second);
        agenda_.erase(agenda_.begin());
        what();
    }
    for (int turns = 0; step_once(); ++turns) {
        if (turns > 100'000)
            throw std::runtime_error("the world does not come to rest at this instant");
    }
    publisher_->poll(clock_.now());
}

Ms World::next_step(Ms target) {
    Ms next = std::min(target, elapsed() + kIdleStep);
    for (unsigned w = 0; w < options_.workers; ++w) {
        if (runtime_->worker(w).parked() > 0) return elapsed() + 1;
    }
    if (!agenda_.empty()) next = std::min(next, agenda_.begin()->first);
    for (auto& [name, site] : sites_) {
        if (site.link->busy()) return elapsed() + 1;
        if (const auto event = site.router->next_event_us()) {
            next = std::min(next, static_cast<Ms>((*event + 999) / 1000));
        }
        const auto deadline = site.service->router().next_deadline();
        if (deadline != UINT64_MAX)
            next = std::min(next, deadline > start_ ? deadline - start_ : 0);
    }
    return std::max(next, elapsed() + 1);
}

void World::advance_to(Ms target) {
    settle();
    while (elapsed() < target) {
        clock_.ms = start_ + std::min(target, next_step(target));
        settle();
    }
}

bool World::drain_wires() {
    bool any = false;
    for (unsigned w = 0; w < options_.workers; ++w) {
        for (const auto& bytes : wires_[w]->receive_all()) {
            any = true;
            std::string wrong;
            const auto frame = read_udp_frame(bytes, wrong);
            if (!frame || !wrong.empty())
                throw std::runtime_error("a frame left that is malformed: " + wrong);
            if (frame->from_port == 53) {
                on_client_frame(*frame);
            } else {
                on_upstream_frame(*frame, w);
            }
        }
    }
    return any;
}

bool World::drain_events() {
    bool any = false;
    Event event;
    for (unsigned w = 0; w < options_.workers; ++w) {
        while (runtime_->events(w).pop(&event, 1) == 1) {
            any = true;
            lists_->take(event, clock_.ms);
        }
    }
    return any;
}

void World::ask(const std::string& client, const std::string& name, std::uint16_t type,
                const SeenEdns& edns, std::uint16_t klass, std::optional<std::uint16_t> vlan,
                std::optional<std::uint16_t> port) {
    const auto address = IpAddress::parse(client);
    if (!address) throw std::runtime_error("not a client's address: " + client);
    UdpFrame frame;
    frame.from_mac = kGatewayMac;
    if (vlan) frame.vlans = {*vlan};
    frame.from = *address;
    frame.to = address->is_v4() ? kService4 : kService6;
    frame.from_port = next_port_ =
        next_port_ == 60'000 ? 20'000 : static_cast<std::uint16_t>(next_port_ + 1);
    if (port) frame.from_port = *port;
    frame.to_port = 53;
    frame.payload = question(name, type, edns, klass);
    // RSS spreads by flow: so does this.
    const unsigned worker = frame.from_port % options_.workers;
    frame.to_mac = wires_[worker]->port().mac();
    if (!wires_[worker]->send(make_udp_frame(frame))) throw std::runtime_error("the wire is full");
    settle();
}

Bytes World::question(const std::string& name, std::uint16_t type, const SeenEdns& edns,
                      std::uint16_t klass) {
    const unsigned flags = (edns.without_recursion ? 0U : unsigned{dns::kRd}) |
                           (edns.checking_disabled ? unsigned{dns::kCd} : 0U) |
                           (edns.authentic ? unsigned{dns::kAd} : 0U);
    auto query =
        DnsMessage(next_id_++, static_cast<std::uint16_t>(flags)).question(name, type, klass);
    if (edns.present) {
        Bytes options = edns.ecs.empty() ? Bytes{} : ecs_option(edns.ecs);
        const Bytes others = options_of(edns.options);
        options.insert(options.end(), others.begin(), others.end());
        const Bytes cookie = edns.cookie.empty() ? Bytes{} : options_of("10:" + edns.cookie);
        options.insert(options.end(), cookie.begin(), cookie.end());
        query.opt(1232, edns.dnssec_ok, 0, 0, options);
    }
    return query.bytes();
}

void World::inject(const std::string& client, const std::string& name, std::uint16_t type,
                   std::uint64_t trace_id) {
    const Bytes message = question(name, type, {}, dns::kIn);
    Buffer* const buffer = runtime_->shared().buffers->take(
        static_cast<std::uint32_t>(sizeof(InjectedQuery) + message.size()));
    if (buffer == nullptr) throw std::runtime_error("no buffer for a query");
    InjectedQuery head{};
    head.client = *IpAddress::parse(client);
    head.local = head.client.is_v4() ? kService4 : kService6;
    head.client_port = next_port_;
    head.local_port = 53;
    head.max_size = kMaxUdpAnswer;
    head.length = static_cast<std::uint32_t>(message.size());
    head.transport = ClientTransport::udp;
    head.trace_id = trace_id;
    std::memcpy(buffer->data(), &head, sizeof head);
    std::copy(message.begin(), message.end(), buffer->data() + sizeof head);
    buffer->length = static_cast<std::uint32_t>(sizeof head + message.size());
    if (!runtime_->stream_to_worker(0, 0).push({.kind = MessageKind::inject, .buffer = buffer}))
        throw std::runtime_error("the ring to the worker is full");
    settle();
}

void World::trace_all() {
    runtime_->shared().trace_filter = &all_;
}

std::vector<TraceCopy> World::take_traces() {
    std::vector<TraceCopy> all;
    for (unsigned w = 0; w < options_.workers; ++w) {
        Message answer;
        while (runtime_->worker_to_stream(w, 0).pop(&answer, 1) == 1)
            release(answer.buffer);
        TraceMessage m;
        while (runtime_->traces(w).pop(&m, 1) == 1) {
            all.push_back(copy_trace(*m.buffer));
            release(m.buffer);
        }
    }
    return all;
}

boost::json::array World::rows_of(const WantedRows& wanted) {
    boost::json::array all;
    for (auto& [name, site] : sites_) {
        for (auto& row : row_sentences(name, site.service->router().trace().since(0), wanted))
            all.push_back(std::move(row));
    }
    return all;
}

void World::on_client_frame(const UdpFrame& frame) {
    SeenAnswer a;
    a.at = elapsed();
    a.client = frame.to.to_string();
    a.id = u16(frame.payload, 0);
    a.rcode = frame.payload[3] & 15U;
    a.truncated = (frame.payload[2] & 2U) != 0;
    a.authentic = (frame.payload[3] & dns::kAd) != 0;
    a.authoritative = (frame.payload[2] & dns::kAa >> 8) != 0;
    Reader reader(frame.payload);
    a.name = reader.name();
    a.type = reader.word();
    reader.word();
    for (unsigned n = u16(frame.payload, 6); n > 0; --n)
        a.records.push_back(reader.record());
    for (unsigned n = u16(frame.payload, 8); n > 0; --n)
        a.authority.push_back(reader.record());
    for (unsigned n = u16(frame.payload, 10); n > 0; --n)
        reader.opt(a.edns, a.additional);
    a.rcode |= a.edns.extended_rcode << 4;
    if (!a.edns.cookie.empty()) cookies[a.client] = a.edns.cookie;
    if (dns_log_.is_open()) {
        dns_log_ << "{\"t_ns\":" << wall_ns() << ",\"client\":\"" << a.client << "\",\"wire\":\""
                 << std::hex << std::setfill('0');
        for (const unsigned byte : frame.payload)
            dns_log_ << std::setw(2) << byte;
        dns_log_ << std::dec << "\"}\n";
    }
    answers.push_back(std::move(a));
}

void World::on_upstream_frame(const UdpFrame& frame, unsigned worker) {
    SeenQuery q;
    q.at = elapsed();
    q.frame = frame;
    q.worker = worker;
    Reader reader(frame.payload);
    q.name = reader.name();
    q.type = reader.word();
    reader.word();
    std::vector<SeenRecord> others;
    for (unsigned n = u16(frame.payload, 10); n > 0; --n)
        reader.opt(q.edns, others);
    queries.push_back(q);
    if (q.name.find('.') == forward::LoopLabel::kDigits) tests.push_back(q.name);
    auto found = served_.find({q.upstream(), q.name, q.type});
    if (found == served_.end()) found = served_.find({"", q.name, q.type});
    if (found != served_.end()) {
        schedule(elapsed() + found->second.after,
                 [this, q, what = found->second] { reply(q, what); });
        return;
    }
    open_queries_.push_back(std::move(q));
}

void World::reply(const SeenQuery& query, const Served& what) {
    auto message = DnsMessage::response(
        u16(query.frame.payload, 0), query.name, query.type,
        static_cast<std::uint16_t>(0x8180U | what.rcode |
                                   (what.authentic ? unsigned{dns::kAd} : 0U)));
    for (const auto& r : what.records) {
        message.record(DnsMessage::kAnswer, wire_name(r.name), r.type, r.ttl_s, rdata_of(r));
    }
    if (what.soa) {
        const std::string end = end_of_chain(query.name, what.records);
        message.soa(end.substr(end.rfind('.') + 1), what.soa->first, what.soa->second);
    }
    for (const auto& r : what.additional) {
        message.record(DnsMessage::kAdditional, wire_name(r.name), r.type, r.ttl_s, rdata_of(r));
    }
    Bytes options = options_of(what.options);
    if (what.scope && !query.edns.ecs.empty()) {
        const std::string asked = query.edns.ecs.substr(0, query.edns.ecs.rfind('/') + 1);
        const Bytes subnet = ecs_option(asked + std::to_string(*what.scope));
        options.insert(options.end(), subnet.begin(), subnet.end());
    }
    if (!what.cookie.empty()) {
        constexpr std::size_t kClient = 16;  // hex digits
        const std::string sent = query.edns.cookie.substr(0, kClient);
        const Bytes cookie =
            options_of("10:" + (what.cookie == "wrong" ? std::string(kClient, '0') : sent) +
                       (what.cookie == "client" ? "" : "0102030405060708"));
        options.insert(options.end(), cookie.begin(), cookie.end());
    }
    if (!options.empty() || what.extended_rcode != 0) {
        message.opt(1232, false, static_cast<std::uint8_t>(what.extended_rcode), 0, options);
    }
    UdpFrame frame;
    frame.from_mac = kGatewayMac;
    frame.to_mac = query.frame.from_mac;
    frame.from = query.frame.to;
    frame.to = query.frame.from;
    frame.from_port = query.frame.to_port;
    frame.to_port = query.frame.from_port;
    frame.payload = message.bytes();
    if (!wires_[query.worker]->send(make_udp_frame(frame)))
        throw std::runtime_error("the wire is full");
}

bool World::answer(const std::string& upstream, const std::string& name, std::uint16_t type,
                   const Served& what) {
    std::vector<SeenQuery> rest;
    bool any = false;
    for (auto& q : open_queries_) {
        const bool is_meant = upstream.empty() || q.upstream() == upstream;
        if (is_meant && q.name == name && q.type == type) {
            reply(q, what);
            any = true;
        } else {
            rest.push_back(std::move(q));
        }
    }
    open_queries_ = std::move(rest);
    settle();
    return any;
}

void World::serve(const std::string& upstream, const std::string& name, std::uint16_t type,
                  Served what) {
    served_[{upstream, name, type}] = std::move(what);
}

rossim::Router& World::router(const std::string& name) {
    const auto found = sites_.find(name);
    if (found == sites_.end())
        throw std::runtime_error("the configuration has no router '" + name + "'");
    return *found->second.router;
}

std::uint64_t World::outcome(Outcome o) const {
    if (o != Outcome::late) return acknowledger_->outcomes[static_cast<std::size_t>(o)].load();
    std::uint64_t late = 0;
    for (unsigned w = 0; w < options_.workers; ++w)
        late += runtime_->worker(w).counters().get(Stat::hold_late);
    return late;
}

std::optional<bool> World::take_raised(const std::string& tag) {
    const auto found = registry_.tasks().find(tag);
    if (found == registry_.tasks().end()) return std::nullopt;
    return found->second->take();
}

Ms World::wall_ns() const {
    return static_cast<Ms>(kWallAtZeroNs) + elapsed() * 1'000'000;
}

}  // namespace steer::test
