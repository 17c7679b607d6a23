// fleet_sim: simulates a fleet on its own clock, and prints the results as JSON (tools/sim fleet).
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "matchers/exit_codes.h"
#include "tools/fleet_sim/figures.h"

namespace steer::fleet_sim {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kSampleUs = 10 * kSecondUs;
constexpr std::int64_t kSettleUs = 120 * kSecondUs;
constexpr std::int64_t kDownUs = 60 * kSecondUs;  // a router that reboots

// For the row boards and rings: without hugepages, devices or shared files.
bool start_eal(const Settings& settings) {
    const std::size_t boxes = std::size_t{settings.full} * settings.boxes_of_pop();
    const std::size_t board = std::min<std::size_t>(
        settings.routers_of_pop() * std::size_t{settings.max_rows} / 2, 1'000'000);
    const std::string mib = std::to_string(200 + boxes * (8 + board * 200 / 1'000'000));
    const std::string cpus = std::to_string(std::max(std::thread::hardware_concurrency(), 1U) - 1);
    std::array<std::string, 9> words{
        "fleet_sim",          "--no-huge", "--no-shconf", "--no-pci",
        "--no-telemetry",     "-m",        mib,           "--lcores=0@(0-" + cpus + ")",
        "--log-level=*:error"};
    std::array<char*, words.size()> argv{};
    for (std::size_t i = 0; i < words.size(); ++i)
        argv[i] = words[i].data();
    return rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0;
}

std::shared_ptr<rte_rcu_qsbr> make_readers() {
    auto* const readers =
        static_cast<rte_rcu_qsbr*>(rte_zmalloc("readers", rte_rcu_qsbr_get_memsize(1), 64));
    if (readers != nullptr)
        rte_rcu_qsbr_init(readers, 1);  // none registers, because nothing reads at the same time
    return {readers, rte_free};
}

void add_options(CLI::App& app, Settings& s) {
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--boxes", s.boxes, "appliances")->capture_default_str();
    app.add_option("--routers", s.routers, "routers")->capture_default_str();
    app.add_option("--pops", s.pops, "PoPs that share them evenly")->capture_default_str();
    app.add_option("--clients", s.clients, "clients of all PoPs")->capture_default_str();
    app.add_option("--full", s.full, "PoPs that are simulated; the others count as these")
        ->capture_default_str();
    app.add_option("--rate", s.rate, "queries a client and second")->capture_default_str();
    app.add_option("--names-file", s.names_file, "names by popularity, one a line");
    app.add_option("--names", s.names, "names that clients ask for")->capture_default_str();
    app.add_option("--zipf", s.zipf, "exponent of their popularity")->capture_default_str();
    app.add_option("--listed", s.listed, "share of the names in the policy list")
        ->capture_default_str();
    app.add_option("--ipv6", s.ipv6, "share of these with AAAA records")->capture_default_str();
    app.add_option("--warm", s.warm_s, "seconds before the measurement")->capture_default_str();
    app.add_option("--measure", s.measure_s, "seconds of it")->capture_default_str();
    app.add_option("--reboot", s.reboot_s,
                   "second of the measurement at which router 0 reboots; 0: it does not")
        ->capture_default_str();
    app.add_option("--seed", s.seed, "of the dice")->capture_default_str();
    app.add_flag("--async", s.async, "answers do not wait for their rows");
    app.add_option("--max-rows", s.max_rows, "of a list on a router")->capture_default_str();
    app.add_option("--max-ttl", s.max_ttl_s, "longest life of a row, in seconds")
        ->capture_default_str();
    app.add_option("--lease", s.lease_ms, "of a router's writer, in ms")->capture_default_str();
    app.add_option("--preset", s.preset, "cost of the routers: fast, mid, slow")
        ->capture_default_str();
    app.add_option("--router-latency", s.router_latency_us, "round trip, in us")
        ->capture_default_str();
    app.add_option("--redis-latency", s.redis_latency_us, "one way, in us")->capture_default_str();
    app.add_option("--arrivals", s.arrivals_file, "file for all queries of the first PoP");
    app.add_option("--zone", s.zone_file, "zone file for the names of the list");
    app.add_flag("!--no-memory", s.measures_memory, "do not measure bytes of claims and rows");
}

// Settles down, warms up, measures. False: it did not settle down.
bool run(const Settings& settings, Pop& pop, Run& run) {
    if (!pop.settle_down(kSettleUs)) return false;
    pop.open();
    pop.run_until(pop.now_us() + settings.warm_s * kSecondUs);
    for (const auto& box : pop.boxes())
        box->forget_holds();
    run.begin = marks_of(pop);
    const std::int64_t begin_us = pop.now_us(), end_us = begin_us + settings.measure_s * kSecondUs;
    std::int64_t reboot_us =
        settings.reboot_s == 0 ? INT64_MAX : begin_us + settings.reboot_s * kSecondUs;
    std::int64_t rebooted_us = INT64_MAX;
    while (pop.now_us() < end_us) {
        const bool is_repairing = rebooted_us != INT64_MAX && run.reboot.repaired_s == 0;
        pop.run_until(std::min({pop.now_us() + (is_repairing ? kSecondUs : kSampleUs), end_us,
                                std::max(reboot_us, pop.now_us())}));
        run.samples.take(pop);
        if (is_repairing && pop.now_us() > rebooted_us + kDownUs && pop.check_repaired())
            run.reboot.repaired_s = static_cast<double>(pop.now_us() - rebooted_us) / kSecondUs;
        if (pop.now_us() < reboot_us) continue;
        run.reboot.rows = pop.rows(0);
        rebooted_us = std::exchange(reboot_us, INT64_MAX);
        pop.reboot(kDownUs);
    }
    run.end = marks_of(pop);
    return true;
}

int simulate(const Settings& settings) {
    if (const std::string wrong = complaint(settings); !wrong.empty()) {
        std::fprintf(stderr, "fleet_sim: %s\n", wrong.c_str());
        return kExitRejected;
    }
    const auto names = Names::make(settings);
    if (!names) {
        std::fprintf(stderr, "fleet_sim: %s\n", names.error().sentence().c_str());
        return kExitRejected;
    }
    if (!settings.zone_file.empty() && !names->write_zone(settings.zone_file)) {
        std::fprintf(stderr, "fleet_sim: %s: cannot be written\n", settings.zone_file.c_str());
        return kExitFailed;
    }
    (void)rossim::built_in_presets().get(settings.preset);  // throws
    if (!start_eal(settings)) {
        std::fprintf(stderr, "fleet_sim: EAL does not start: %s\n", rte_strerror(rte_errno));
        return kExitFailed;
    }
    const auto readers = make_readers();
    MemoryCosts memory;
    if (settings.measures_memory) memory = measure_memory(settings, *names, readers.get());
    std::vector<std::unique_ptr<Pop>> pops;
    std::vector<Run> runs;
    for (unsigned number = 0; number < settings.full; ++number) {
        pops.push_back(std::make_unique<Pop>(settings, *names, number, readers.get()));
        runs.push_back(
            {.pop = pops.back().get(), .begin = {}, .end = {}, .samples = {}, .reboot = {}});
        if (run(settings, *pops.back(), runs.back())) continue;
        std::string why = pops.back()->boxes().front()->last_log();
        if (why.empty()) why = "a router has no writer";
        std::fprintf(stderr, "fleet_sim: the boxes do not settle down within 120 s: %s\n",
                     why.c_str());
        return kExitFailed;
    }
    std::cout << boost::json::serialize(figures(settings, *names, runs, memory)) << std::endl;
    return std::cout ? kExitDone : kExitFailed;
}

}  // namespace
}  // namespace steer::fleet_sim

int main(int argc, char** argv) {
    steer::fleet_sim::Settings settings;
    CLI::App app{"Simulates a fleet of appliances, and prints what it shows as JSON"};
    steer::fleet_sim::add_options(app, settings);
    try {
        app.parse(argc, argv);
        return steer::fleet_sim::simulate(settings);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? steer::kExitDone : steer::kExitRejected;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "fleet_sim: %s\n", error.what());
        return steer::kExitRejected;
    }
}
