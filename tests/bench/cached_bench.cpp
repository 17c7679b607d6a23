// Workers on net_pcap ports that repeat their file for ever: nanoseconds a packet, as JSON on standard output.
//
// The configuration is configs/minimal.yaml with a `cache` in front; the answers are put in through the cache writer, the router
// is a real connection. tests/bench/cached.py runs it against testpmd. With --check it says instead how many of the
// answers, every 64th, were compared. As bench_stages (stage_clock.h) it also says where the nanoseconds go.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "bench/cached_scene.h"
#include "bench/checked_port.h"
#include "bench/mixed_port.h"
#include "bench/name_port.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/stages/stage_clock.h"

namespace steer::bench {
namespace {

// Nanoseconds that the workers' threads were on a CPU (schedstat, first field), all together.
std::uint64_t workers_cpu_ns() {
    std::uint64_t all = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name.find("worker") == std::string::npos) continue;
        std::uint64_t ns = 0;
        std::ifstream(task.path() / "schedstat") >> ns;
        all += ns;
    }
    if (all == 0) fail("no thread is called worker");
    return all;
}

struct Reading {
    std::uint64_t packets = 0, answered = 0, packet_cache = 0, asked = 0, claimed = 0, cpu_ns = 0;
};

Reading read(DataplaneRuntime& runtime) {
    Reading r;
    for (unsigned i = 0; i < runtime.workers(); ++i) {
        const Counters& counters = runtime.worker(i).counters();
        r.packets += counters.get(Stat::rx_packets) - counters.get(Verdict::upstream_reply);
        r.answered += counters.get(Verdict::answered) + counters.get(PendingOutcome::answered);
        r.packet_cache += counters.get(Stat::packet_cache_hits);
        r.asked += counters.get(Stat::upstream_queries);
        r.claimed += counters.get(Stat::claims_covered) + counters.get(Stat::events_raised);
    }
    r.cpu_ns = workers_cpu_ns();
    return r;
}

// Nanoseconds of each stage; none but in bench_stages.
using StageTimes = std::vector<double>;

StageTimes read_stages() {
    StageTimes times;
#ifdef STEER_STAGE_CLOCK
    const double ns = 1e9 / static_cast<double>(rte_get_tsc_hz());
    for (const auto& cycles : StageClock::cycles)
        times.push_back(static_cast<double>(cycles.load()) * ns);
#endif
    return times;
}

void print_stages(const StageTimes& before, const StageTimes& after, double packets) {
    for (std::size_t i = 0; i < after.size(); ++i) {
        std::printf("%s[\"%s\", %.3f]", i == 0 ? ", \"stages\": [" : ", ",
                    kStages.rows.at(i).text.data(), (after[i] - before[i]) / packets);
    }
    if (!after.empty()) std::printf("]");
}

double median(std::vector<double> all) {
    if (all.empty()) fail("nothing was measured");
    std::nth_element(all.begin(), all.begin() + static_cast<long>(all.size() / 2), all.end());
    return all[all.size() / 2];
}

void let_run(CachedScene& scene, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) {
        std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(
            end - Clock::now(), std::chrono::milliseconds(100)));
        scene.poll();
    }
}

// Builds and publishes the configuration again at the middle, if asked for; prints how long that took.
void measure(CachedScene& scene, double seconds, bool reload) {
    using Clock = std::chrono::steady_clock;
    DataplaneRuntime& runtime = scene.runtime();
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    const Reading before = read(runtime);
    const StageTimes stages_before = read_stages();
    const auto begin = Clock::now();
    double reload_s = 0;
    if (reload) {
        let_run(scene, seconds / 2);
        const auto start = Clock::now();
        scene.reload();
        reload_s = std::chrono::duration<double>(Clock::now() - start).count();
    }
    let_run(scene, seconds - std::chrono::duration<double>(Clock::now() - begin).count());
    const Reading after = read(runtime);
    const StageTimes stages_after = read_stages();
    if (after.packets == before.packets) fail("no packet came");
    const auto packets = static_cast<double>(after.packets - before.packets);
    const auto share = [&](std::uint64_t Reading::*what) {
        return static_cast<double>(after.*what - before.*what) / packets;
    };
    std::printf(
        "{\"ns_per_packet\": %.2f, \"answered_share\": %.5f, \"packet_cache_share\": %.5f, "
        "\"asked_share\": %.5f, \"claimed_share\": %.5f, \"reload_s\": %.3f, \"packets\": %.0f",
        share(&Reading::cpu_ns), share(&Reading::answered), share(&Reading::packet_cache),
        share(&Reading::asked), share(&Reading::claimed), reload_s, packets);
    print_stages(stages_before, stages_after, packets);
    std::printf("}\n");
}

// Reads a worker's records, as control's recorder does with nothing to write: a byte of each cell.
class RecordReader {
  public:
    explicit RecordReader(RecordRing& ring)
        : ring_(ring), thread_([this](const std::stop_token& s) { run(s); }) {}

  private:
    void run(const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "records");
        while (!stop.stop_requested()) {
            ring_.for_each([&](std::span<const std::uint8_t> record) {
                for (std::size_t at = 0; at < record.size(); at += CellRing::kCell)
                    seen_ += record[at];
            });
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    RecordRing& ring_;
    std::uint64_t seen_ = 0;
    std::jthread thread_;
};

// Alternates turns with a record of one query in `one_in` and with none. Prints the median wall time
// that one record adds. The kernel counts CPU time of another thread in steps of milliseconds.
void measure_records(CachedScene& scene, double seconds, std::uint32_t one_in) {
    using Clock = std::chrono::steady_clock;
    DataplaneRuntime& runtime = scene.runtime();
    constexpr std::uint16_t kAnswerBytes = 512;  // as the recorder asks for
    runtime.shared().record_response_bytes = kAnswerBytes;
    const RecordReader reader(runtime.records(0));
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    constexpr double kTurn = 0.05;
    const auto ns_per_packet = [&](std::uint32_t one_in_now) {
        runtime.shared().record_one_in = one_in_now;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const Counters& counters = runtime.worker(0).counters();
        const auto begin = Clock::now();
        const std::uint64_t before = counters.get(Stat::rx_packets);
        std::this_thread::sleep_for(std::chrono::duration<double>(kTurn));
        const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
        const std::uint64_t packets = counters.get(Stat::rx_packets) - before;
        if (packets == 0) fail("no packet came");
        return took.count() / static_cast<double>(packets);
    };
    std::vector<double> without, record_ns;
    while (static_cast<double>(without.size()) < seconds / (2 * kTurn)) {
        without.push_back(ns_per_packet(0));
        record_ns.push_back((ns_per_packet(one_in) - without.back()) * one_in);
    }
    const Counters& counters = runtime.worker(0).counters();
    std::printf("{\"ns\": %.2f, \"record_ns\": %.1f, \"written\": %" PRIu64 ", \"lost\": %" PRIu64
                "}\n",
                median(without), median(record_ns), counters.get(Stat::records_written),
                counters.get(Stat::records_lost));
}

// What the workers answer in each second, beside whatever else is done.
class Seconds {
  public:
    explicit Seconds(DataplaneRuntime& runtime)
        : runtime_(runtime), thread_([this](const std::stop_token& s) { run(s); }) {}

    // Those since the last call, without the one that is in progress.
    std::vector<double> take() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(rates_, {});
    }

  private:
    void run(const std::stop_token& stop) {
        using Clock = std::chrono::steady_clock;
        pthread_setname_np(pthread_self(), "seconds");
        for (auto next = Clock::now();; next += std::chrono::seconds(1)) {
            const auto from = Clock::now();
            const std::uint64_t before = answered();
            std::this_thread::sleep_until(next + std::chrono::seconds(1));
            if (stop.stop_requested()) return;
            const double took = std::chrono::duration<double>(Clock::now() - from).count();
            const std::scoped_lock lock(mutex_);
            rates_.push_back(static_cast<double>(answered() - before) / took);
        }
    }
    std::uint64_t answered() {
        std::uint64_t all = 0;
        for (unsigned i = 0; i < runtime_.workers(); ++i) {
            const Counters& counters = runtime_.worker(i).counters();
            all += counters.get(Verdict::answered) + counters.get(PendingOutcome::answered);
        }
        return all;
    }

    DataplaneRuntime& runtime_;
    std::mutex mutex_;
    std::vector<double> rates_;
    std::jthread thread_;
};

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
        lines.push_back(std::move(line));
    if (lines.size() < 100) fail(path + " has fewer than 100 lines");
    return lines;
}

// A hundredth of the lines become others; those at the start, which the queries are for, stay.
void change(std::vector<std::string>& lines, unsigned round) {
    const std::size_t changed = lines.size() / 100;
    for (std::size_t i = 0; i < changed; ++i) {
        std::string& line = lines[1 + (round * changed + i) % (lines.size() - 1)];
        line = "domain:r" + std::to_string(round) + "-" + std::to_string(i) + ".changed.example";
    }
}
void write_lines(const std::string& path, const std::vector<std::string>& lines) {
    std::ofstream out(path, std::ios::binary);
    for (const std::string& line : lines)
        out << line << '\n';
    if (!out.flush()) fail(path + " cannot be written");
}

// Undisturbed for `seconds`; then reloads, one after the other. Each changes lines of the list. Then
// undisturbed again, until there are as many undisturbed seconds as others.
void measure_reloads(CachedScene& scene, double seconds, unsigned reloads,
                     const std::string& list) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::string> lines = lines_of(list);
    Seconds sampled(scene.runtime());
    let_run(scene, seconds + 1.1);
    std::vector<double> quiet = sampled.take();
    if (!quiet.empty()) quiet.erase(quiet.begin());  // the start
    constexpr int kNice = 10;
    ::setpriority(PRIO_PROCESS, 0, kNice);  // this thread alone, as the daemon's that builds
    std::vector<double> took_s;
    for (unsigned round = 0; round < reloads; ++round) {
        change(lines, round);
        write_lines(list, lines);
        const auto begin = Clock::now();
        scene.reload();
        took_s.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
        let_run(scene, 0.01);
    }
    let_run(scene, 1.1);
    const std::vector<double> busy = sampled.take();
    if (busy.empty()) fail("the reloads took less than a second");
    const double left = static_cast<double>(busy.size()) - static_cast<double>(quiet.size());
    if (left > 0) let_run(scene, left + 1.1);
    const std::vector<double> again = sampled.take();
    quiet.insert(quiet.end(), again.begin(), again.end());
    quiet.resize(std::min(quiet.size(), busy.size()));
    std::printf(
        "{\"undisturbed_qps\": %.0f, \"worst_qps\": %.0f, \"middle_qps\": %.0f, "
        "\"quiet_worst_qps\": "
        "%.0f, \"reload_s\": %.3f, \"reloads\": %u, \"seconds\": %zu}\n",
        median(quiet), *std::min_element(busy.begin(), busy.end()), median(busy),
        *std::min_element(quiet.begin(), quiet.end()), median(took_s), reloads, busy.size());
}

// One worker with queries for numbered names: drawn uniformly, and by Zipf's law, by turns.
int measure_numbered(const SceneOptions& options, const NamePort::Options& asked, double seconds,
                     double warm_s, unsigned rounds) {
    NamePort port("names", asked);
    const std::array<double, 2> own_ns{port.own_ns(false), port.own_ns(true)};
    port.draw_by_zipf(false);
    const std::array<Port*, 1> ports{&port};
    CachedScene scene(options, ports);
    scene.runtime().start();
    let_run(scene, warm_s);  // the first hit of an entry marks it, which costs a write
    const CachedScene::Start& start = scene.start();
    std::printf(
        "{\"own_ns\": %.2f, \"own_ns_zipf\": %.2f, \"insert_ns\": %.1f, \"bytes_per_entry\": "
        "%.1f, \"config_s\": %.3f}\n",
        own_ns[0], own_ns[1], start.insert_ns, start.bytes_per_entry, start.config_s);
    for (unsigned i = 0; i < 2 * rounds; ++i) {
        port.draw_by_zipf(i % 2 != 0);
        measure(scene, seconds, false);
    }
    scene.runtime().stop();
    std::printf("{\"compared\": %" PRIu64 ", \"wrong\": %" PRIu64 "}\n", port.compared(),
                port.wrong());
    return port.wrong() > 0 || port.compared() == 0 ? 1 : 0;
}

// Compares every 64th answer for `seconds`.
int check(DataplaneRuntime& runtime, double seconds,
          std::span<const std::unique_ptr<CheckedPort>> ports) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    runtime.stop();
    std::uint64_t compared = 0, wrong = 0;
    for (const auto& port : ports) {
        compared += port->compared();
        wrong += port->wrong();
        if (port->wrong() > 0) std::fprintf(stderr, "a wrong answer: %s\n", port->why().c_str());
    }
    std::printf("{\"compared\": %" PRIu64 ", \"wrong\": %" PRIu64 "}\n", compared, wrong);
    return wrong > 0 || compared == 0 ? 1 : 0;
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer;
    using namespace steer::bench;
    SceneOptions scene;
    scene.router_port = 8728;
    std::string pcap;
    double seconds = 2, warm_s = 0;
    bool no_huge = false, checks = false, reload = false;
    std::uint32_t record_one_in = 0;
    unsigned new_name_every = 0, reloads = 0, rounds = 3;
    std::string list;
    unsigned workers = 1, mib = 1200;
    NamePort::Options asked;
    EthdevOptions port;
    port.descriptors = 1024;
    port.mbufs = 131'072;
    CLI::App app{"bench_cached"};
    app.add_option("--pcap", pcap);
    app.add_option("--names", scene.names);
    app.add_option("--numbered", scene.numbered,
                   "instead of these: queries for so many names are made");
    app.add_option("--rounds", rounds, "of numbered names");
    app.add_option("--warm", warm_s, "seconds before them, drawn uniformly");
    app.add_option("--clients", asked.clients, "that ask for numbered names");
    app.add_option("--config", scene.config)->required();
    app.add_option("--router-port", scene.router_port);
    app.add_option("--seconds", seconds);
    app.add_option("--mbufs", port.mbufs);
    app.add_option("--records", scene.records, "addresses of a name");
    app.add_flag("--one-to", scene.one_to, "from one to so many");
    app.add_flag("--translated", scene.translated,
                 "AAAA are asked for, which the configuration's dns64 made");
    app.add_option("--cache-mib", scene.cache_mib);
    app.add_option("--workers", workers);
    app.add_option("--mib", mib, "memory of the EAL");
    app.add_flag("--no-huge", no_huge);
    app.add_flag("--check", checks, "compares answers, untimed");
    app.add_option("--new-name-every", new_name_every,
                   "so manieth query is for a name that nobody asked for before, and is forwarded");
    app.add_flag("--reload", reload, "in the middle");
    app.add_option("--reloads", reloads, "so many, of a list that changes each time");
    app.add_option("--record-one-in", record_one_in,
                   "measure the cost of a record of one query in N, by turns with none");
    app.add_option("--list", list, "that list: rules that `config` reads");
    CLI11_PARSE(app, argc, argv);

    if (scene.numbered == 0 && (pcap.empty() || scene.names.empty()))
        fail("which queries? Give --pcap and --names, or --numbered");
    start_eal(no_huge, workers, mib);
    std::vector<std::unique_ptr<Port>> owned;
    std::vector<std::unique_ptr<MixedPort>> mixed;
    std::vector<Port*> ports;
    if (scene.numbered != 0) {
        asked.names = scene.numbered;
        asked.mbufs = port.mbufs;
        asked.records = scene.records;
        return measure_numbered(scene, asked, seconds, warm_s, rounds);
    }
    for (unsigned i = 0; i < workers; ++i) {
        auto opened = open_vdev("net_pcap", "rx_pcap=" + pcap + ",infinite_rx=1", port);
        if (!opened) fail(opened.error().sentence());
        owned.push_back(std::move(opened->front()));
        mixed.push_back(std::make_unique<MixedPort>(*owned.back(), new_name_every));
        ports.push_back(new_name_every == 0 ? owned.back().get() : mixed.back().get());
    }
    if (new_name_every != 0) scene.upstream_index = MixedPort::kUpstreamIndex;
    std::vector<std::unique_ptr<CheckedPort>> checked;
    if (checks) {
        const AnswerCheck check(read_pcap(pcap), answers_of(scene), kSceneTtl);
        for (Port*& p : ports)
            p = checked.emplace_back(std::make_unique<CheckedPort>(*p, check)).get();
    }
    CachedScene cached(scene, ports);
    cached.runtime().start();
    if (checks) return check(cached.runtime(), seconds, checked);
    if (record_one_in != 0) {
        measure_records(cached, seconds, record_one_in);
    } else if (reloads != 0) {
        measure_reloads(cached, seconds, reloads, list);
    } else {
        measure(cached, seconds, reload);
    }
    return 0;
}
