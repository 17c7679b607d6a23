#include "bench/cached_scene.h"

#include <rte_cycles.h>
#include <rte_rcu_qsbr.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>
#include <thread>
#include <vector>

#include "bench/name_port.h"
#include "bench/start_eal.h"
#include "control/config/load.h"
#include "control/host/process/published.h"
#include "control/program/build/build.h"
#include "control/program/build/publish.h"
#include "control/sinks/routers/router_thread.h"
#include "dataplane/cache/insert.h"
#include "dataplane/dns/translate.h"
#include "dataplane/policy/admit.h"
#include "support/dns_message.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "bench: %s\n", why.c_str());
    std::exit(1);
}

void start_eal(bool no_huge, unsigned workers, unsigned mib) {
    const unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
    std::string lcores = "0@0";
    for (unsigned lcore = 1; lcore <= workers; ++lcore)
        lcores += "," + std::to_string(lcore) + "@" + std::to_string(lcore % cpus);
    start_eal_on(lcores, mib, no_huge);
}

namespace {

constexpr const char* kServiceAddress = "10.255.255.53";

template <class T>
T must(Result<T> result) {
    if (!result) fail(result.error().sentence());
    return std::move(*result);
}

void replace(std::string& text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) fail("the configuration has no " + from);
    text.replace(at, from.size(), to);
}

// The example with the router at the port and a cache in front of all.
std::string configuration(const SceneOptions& options, unsigned names) {
    std::stringstream stream;
    stream << std::ifstream(options.config).rdbuf();
    std::string text = stream.str();
    if (options.router_port == 0) return text;
    replace(text, "172.16.1.1:8728", "127.0.0.1:" + std::to_string(options.router_port));
    replace(text, "    args:\n      - matches: \"$match_policy_domain\"",
            "    args:\n      - exec: \"$answers\"\n      - matches: "
            "\"$match_policy_domain\"");
    replace(text, "plugins:\n",
            "plugins:\n  - tag: answers\n    type: cache\n    args: { size: " +
                std::to_string(std::max(1024U, names)) + ", short_circuit: true }\n");
    if (options.ads.empty()) return text;
    replace(text, "      - exec: \"$answers\"",
            "      - exec: \"$ads\"\n      - exec: \"$answers\"");
    replace(text, "plugins:\n",
            "plugins:\n  - tag: ads\n    type: adlist\n    args: { cname: true, lists: [ \"" +
                options.ads + "\" ] }\n");
    return text;
}

build::Built built_of(const SceneOptions& options, unsigned names, build::Registry& registry) {
    const auto loaded = config::load_text(configuration(options, names), options.config);
    if (!loaded.ok()) fail(loaded.errors.front().sentence());
    build::Surroundings around;
    around.own_networks = {must(matchers::Prefix::parse("10.0.0.0/8"))};
    auto built = build::build(loaded.settings, around, registry);
    if (!built.ok()) fail(built.errors.front().sentence());
    return built;
}

RuntimeOptions plane_options(const Snapshot& snapshot, const SceneOptions& scene,
                             std::size_t workers) {
    RuntimeOptions options;
    options.worker.idle = Idle::spin;
    options.worker.workers = static_cast<unsigned>(workers);
    options.worker.spread = false;  // each worker has a port, and its queries are for it
    options.cache_bytes = std::size_t{scene.cache_mib} << 20;
    options.cache_entries = {snapshot.caches.front().size};
    options.cache_shards = options.worker.workers;
    return options;
}

// Addresses of the name at this place in the file.
unsigned records_of(const SceneOptions& options, unsigned place) {
    return options.one_to ? place % options.records + 1 : options.records;
}

std::vector<std::string> read_names(const std::string& file) {
    std::vector<std::string> names;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        names.push_back(line);
    return names;
}

// Addresses of a name.
std::array<std::uint8_t, 4> address_of(const SceneOptions& options, std::uint32_t place,
                                       unsigned record) {
    if (options.numbered != 0) return numbered_address(place, record);
    return {198, 51, static_cast<std::uint8_t>(100 + record), static_cast<std::uint8_t>(place)};
}

// Those of a file, or numbered ones.
class Names {
  public:
    explicit Names(const SceneOptions& options)
        : numbered_(options.numbered),
          names_(numbered_ != 0 ? std::vector<std::string>() : read_names(options.names)) {}
    [[nodiscard]] std::size_t size() const { return numbered_ != 0 ? numbered_ : names_.size(); }
    [[nodiscard]] std::string at(std::uint32_t place) const {
        return numbered_ != 0 ? numbered_name(place) : names_[place];
    }

  private:
    std::uint32_t numbered_;
    std::vector<std::string> names_;
};

// Every place once, so that neighbours are far apart: names that are asked for often must not stand side by side in memory.
class Shuffled {
  public:
    explicit Shuffled(std::size_t n) : n_(n), step_(n * 618 / 1000 + 1) {
        while (std::gcd(step_, n_) != 1)
            ++step_;
    }
    std::uint32_t next() { return static_cast<std::uint32_t>(at_ = (at_ + step_) % n_); }

  private:
    std::uint64_t n_, step_, at_ = 0;
};

// What the executor makes of it at the end of its branches.
Buffer* translated(DataplaneRuntime& runtime, const Snapshot& snapshot, const test::Bytes& name,
                   Buffer* of_a) {
    if (snapshot.dns64s.empty()) fail("the configuration has no dns64");
    Buffer* const made = runtime.shared().buffers->take(kSmallBuffer);
    made->length = static_cast<std::uint32_t>(dns::write_translated(
        of_a->answer(), {.asked = name}, snapshot.dns64s.front(), made->room()));
    if (made->length == 0) fail("an answer cannot be translated");
    release(of_a);
    return made;
}

// Puts an answer for each name into the cache, as a worker would that had just got it.
void fill(DataplaneRuntime& runtime, const Snapshot& snapshot, const Names& names,
          const SceneOptions& options, Clock& clock, CachedScene::Start& start) {
    Counters counters;
    const Now now = clock.now();
    unsigned serial = 0;
    std::uint64_t cycles = 0;
    Shuffled places(names.size());
    std::vector<ListId> policy_lists;
    if (!snapshot.lists.empty()) policy_lists.push_back(snapshot.lists.front().id);
    for (std::size_t left = names.size(); left > 0; --left) {
        const std::uint32_t place = places.next();
        const std::string name = names.at(place);
        const auto wire = test::wire_name(name);
        auto response = test::DnsMessage::response(1, name, dns::kA);
        // With names compressed, as servers send them.
        const test::Bytes owner{0xc0, 0x0c};
        for (unsigned i = 0; i < records_of(options, place); ++i) {
            const auto address = address_of(options, place, i);
            response.record(test::DnsMessage::kAnswer, owner, dns::kA, kSceneTtl,
                            {address.begin(), address.end()});
        }
        Buffer* answer = runtime.shared().buffers->take(kSmallBuffer);
        dns::UpstreamFacts facts;
        if (dns::build_answer(response.bytes(), wire, dns::kA, dns::kIn, false, answer->room(),
                              facts) != dns::AnswerError::none) {
            fail("the answer for " + name + " does not build");
        }
        answer->length = static_cast<std::uint32_t>(answer->answer().size());
        if (options.translated) answer = translated(runtime, snapshot, wire, answer);
        answer->serial = ++serial;
        answer->born_ms = static_cast<std::int64_t>(now.ms);
        const cache::KeyFacts key{wire, options.translated ? dns::kAaaa : dns::kA, dns::kIn,
                                  snapshot.caches.front().id, 0};
        cache::InsertTerms terms;
        terms.life_s = cacheable_for_s(answer->answer(), snapshot.caches.front());
        // Of the generation that is going to be the first: dns64 takes what older ones made for no answer.
        if (options.translated) terms.tag_generation = 1;
        if (!policy_lists.empty() && name.ends_with(".stream.example")) {
            terms.lists = policy_lists;
            terms.ttl_cap_s =
                snapshot.lists.front().max_ttl_s - snapshot.lists.front().extra_time_s;
        }
        Buffer* const insert = cache::build_insert(
            *runtime.shared().buffers, (*runtime.shared().hasher)(key), key, *answer, terms);
        if (insert == nullptr) fail("the cache does not take " + name);
        const std::uint64_t begin = rte_rdtsc();
        runtime.shared().cache->insert(*insert, now, counters);
        cycles += rte_rdtsc() - begin;
        release(insert);
        release(answer);
    }
    if (counters.get(Stat::cache_inserts) != names.size()) fail("not every answer is in the cache");
    const auto count = static_cast<double>(names.size());
    start.insert_ns =
        static_cast<double>(cycles) * 1e9 / static_cast<double>(rte_get_tsc_hz()) / count;
    start.bytes_per_entry = static_cast<double>(runtime.shared().cache->bytes_used()) / count;
}

void await_router(const RouterThread& routers) {
    for (int i = 0; i < 400; ++i) {
        const auto all = routers.status();
        if (!all.empty() && all.front().state.state == routeros::RouterState::in_sync) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    fail("the router does not come into sync");
}

}  // namespace

Answers answers_of(const SceneOptions& options) {
    Answers answers;
    unsigned place = 0;
    for (const auto& name : read_names(options.names)) {
        auto& addresses = answers[wire_of(name)];
        for (unsigned i = 0; i < records_of(options, place); ++i) {
            std::uint32_t number = 0;
            for (const std::uint8_t byte : address_of(options, place, i))
                number = number << 8 | byte;
            addresses.push_back(number);
        }
        ++place;
    }
    return answers;
}

struct CachedScene::Impl {
    Impl(const SceneOptions& scene, std::span<Port* const> ports)
        : options(scene),
          names(options),
          built(timed_built_of(options, static_cast<unsigned>(names.size()), registry)),
          runtime(plane_options(*built.snapshot, options, ports.size())),
          publisher(runtime.shared()),
          hops(runtime.shared().next_hops, runtime.shared().qsbr) {
        auto table = std::make_unique<NextHopTable>();
        table->service_addresses = {*IpAddress::parse(kServiceAddress)};
        table->own_addresses = table->service_addresses;
        table->service_ports = {53};
        if (options.upstream_index != 0) {
            table->by_upstream = {{.via = NextHop::Via::port,
                                   .if_index = options.upstream_index,
                                   .peer_mac = {2, 0, 0, 0, 0, 3},
                                   .own_mac = ports.front()->mac(),
                                   .source = table->service_addresses.front()}};
        }
        hops.put(std::move(table));
        for (Port* port : ports)
            runtime.add_worker({port}, clock);
        fill(runtime, *built.snapshot, names, options, clock, start);
        constexpr std::array<std::uint8_t, dns::kCookieSecretSize> kSecret{};
        cookie_keys.current = dns::CookieSecret::of(kSecret);
        cookie_keys.clock_s = options.wall_s - clock.now().s();
        runtime.shared().cookie_keys = &cookie_keys;
        must(publisher.publish(built.snapshot, clock.now()));
        if (built.routers.empty()) return;
        routers = std::make_unique<RouterThread>(runtime, clock, built.routers,
                                                 [](routeros::Level, const std::string& line) {
                                                     std::fprintf(stderr, "%s\n", line.c_str());
                                                 });
        routers->start();
        await_router(*routers);
    }
    ~Impl() {
        runtime.stop();
        if (routers) routers->stop(0);
    }

    build::Built timed_built_of(const SceneOptions& scene, unsigned count, build::Registry& into) {
        using Time = std::chrono::steady_clock;
        const auto begin = Time::now();
        auto out = built_of(scene, count, into);
        start.config_s = std::chrono::duration<double>(Time::now() - begin).count();
        return out;
    }

    void reload() {
        built = built_of(options, static_cast<unsigned>(names.size()), registry);
        must(publisher.publish(built.snapshot, clock.now()));
    }

    const SceneOptions options;
    BootClock clock;
    const Names names;
    Start start;
    build::Registry registry;
    build::Built built;
    dns::CookieKeys cookie_keys;
    DataplaneRuntime runtime;
    build::Publisher publisher;
    Published<NextHopTable> hops;
    std::unique_ptr<RouterThread> routers;
};

CachedScene::CachedScene(const SceneOptions& options, std::span<Port* const> ports)
    : impl_(std::make_unique<Impl>(options, ports)) {}

CachedScene::~CachedScene() = default;

void CachedScene::reload() {
    impl_->reload();
}

void CachedScene::poll() {
    impl_->publisher.poll(impl_->clock.now());
}

const CachedScene::Start& CachedScene::start() const {
    return impl_->start;
}

DataplaneRuntime& CachedScene::runtime() {
    return impl_->runtime;
}

Clock& CachedScene::clock() {
    return impl_->clock;
}

}  // namespace steer::bench
