// Reports about the whole daemon: the methods `status`, `counters` and `version`, and the metrics of the process.
//
// Each part adds its members; `members` of the method sets their order.
#include <rte_version.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/metrics/metrics.h"
#include "control/api/metrics/process_facts.h"
#include "control/api/metrics/worker_counters.h"
#include "control/api/rpc/events.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/runtime/dpdk_part.h"
#include "control/runtime/ports/ports_part.h"
#include "control/runtime/workers_part.h"
#include "control/sinks/routers/routers_part.h"
#include "matchers/version.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using ops::Changes;

// How long a report waits for fresh router states.
constexpr std::chrono::seconds kRoutersPatience{1};

constexpr std::string_view kStatusMembers =
    "version uptime_s config generation memory simd pid resident_bytes? cpu_s main_turn_ms threads "
    "open_files? "
    "ready problems reload lists secondaries? ports addresses workers cache? routers bypass? sets? "
    "opnsense? upstreams certificates connections connection_limit? descriptors mdns? log "
    "confinement support?";
constexpr std::string_view kCounterMembers =
    "workers outcomes routers sets? opnsense? streams mdns? ports exceptions announcements "
    "denied_calls";
// Problems are listed in this order.
constexpr std::array<std::string_view, 18> kSubjects{
    "health",       "configuration", "routers",     "fleet", "upstreams",   "ports",
    "descriptors",  "overload",      "connections", "cache", "lists",       "zones",
    "certificates", "recorder",      "doctor",      "log",   "confinement", "memory"};

// Its members in the order of a declaration; others come behind.
object in_order(const object& all, std::string_view members) {
    object ordered;
    for (std::size_t begin = 0; begin < members.size();) {
        const std::size_t end = std::min(members.find(' ', begin), members.size());
        std::string_view name = members.substr(begin, end - begin);
        if (name.ends_with('?')) name.remove_suffix(1);
        if (const auto* const value = all.if_contains(name)) ordered[name] = *value;
        begin = end + 1;
    }
    for (const auto& [name, value] : all) {
        if (!ordered.contains(name)) ordered[name] = value;
    }
    return ordered;
}

class StatusPart final : public Part {
  public:
    static constexpr std::string_view kName = "status";
    using Needs = steer::Needs<MainLoop, Events, DpdkPart, PortsPart, WorkersPart, RoutersPart>;
    explicit StatusPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          events_(needs.get<Events>()),
          dpdk_(needs.get<DpdkPart>()),
          ports_(needs.get<PortsPart>()),
          workers_(needs.get<WorkersPart>()),
          routers_(needs.get<RoutersPart>()),
          parts_(needs.parts()) {}

    Result<void> start() override {
        events_.subscriptions()->set_counters([this] { return ops::numbers_of(counters()); });
        return {};
    }
    void add_methods(ops::Methods& methods) override;
    // Logs what is served: all parts serve now.
    void serve() override;
    void add_status(object& all) override;
    void write_metrics(ops::MetricWriter& writer) override;

  private:
    [[nodiscard]] boost::json::value status() const;
    [[nodiscard]] boost::json::value counters() const;
    [[nodiscard]] array problems() const;
    // A report with the routers' state of this moment, as `routers` shows it.
    ops::Later with_routers(std::function<boost::json::value()> report) const;

    MainLoop& main_;
    Events& events_;
    DpdkPart& dpdk_;
    PortsPart& ports_;
    WorkersPart& workers_;
    RoutersPart& routers_;
    const Parts& parts_;
};

ops::Later StatusPart::with_routers(std::function<boost::json::value()> report) const {
    return [this, report = std::move(report)](const ops::Arguments&, const ops::RpcDone& done) {
        const auto timer =
            std::make_shared<boost::asio::steady_timer>(main_.io(), kRoutersPatience);
        timer->async_wait(
            [report, done, timer](const boost::system::error_code&) { done(report()); });
        routers_.thread()->refresh(
            [this, timer] { boost::asio::post(main_.io(), [timer] { timer->cancel(); }); });
    };
}

void StatusPart::add_methods(ops::Methods& methods) {
    methods.add({.name = "status",
                 .help = "Shows readiness, ports, workers, cache, routers, sets and upstreams.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .run = with_routers([this] { return status(); }),
                 .members = kStatusMembers,
                 .result = "one object with a part for each subject"});
    methods.add(
        {.name = "counters",
         .help = "Shows the verdicts and counters of all workers.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .run = with_routers([this] { return counters(); }),
         .members = kCounterMembers,
         .result = "numbers since the start: of workers, routers, sets, streams and ports"});
    methods.add({.name = "version",
                 .help = "Shows the version of steerdnsd.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::small(),
                 .run = [](const ops::Arguments&) -> ops::RpcResult {
                     return boost::json::value{{"version", kVersion}};
                 },
                 .members = "version",
                 .result = "`version`"});
}

void StatusPart::serve() {
    if (!dpdk_.eal().huge_pages()) spdlog::info("memory: {}", dpdk_.eal().summary());
    std::string addresses;
    for (const auto& address : workers_.hop_table().service_addresses)
        addresses += " " + address.to_string();
    if (addresses.empty()) {
        spdlog::warn(
            "there is no address to answer on: give the port's interface one (`ip address add`); "
            "it is served from then on");
    }
    for (const auto& port : ports_.set().reports()) {
        spdlog::info("serving on {}{} by {} because {}{}", port.device, addresses, port.driver,
                     port.why, port.offers.empty() ? "" : " (" + port.offers + ")");
    }
}

boost::json::value StatusPart::status() const {
    object all;
    for (const auto& part : parts_.all())
        part->add_status(all);
    all["problems"] = problems();
    return in_order(all, kStatusMembers);
}

boost::json::value StatusPart::counters() const {
    object all;
    for (const auto& part : parts_.all())
        part->add_counters(all);
    return in_order(all, kCounterMembers);
}

array StatusPart::problems() const {
    Problems all;
    for (const auto& part : parts_.all())
        part->add_problems(all);
    std::ranges::stable_sort(all, {}, [](const Problem& problem) {
        return std::ranges::find(kSubjects, problem.subject) - kSubjects.begin();
    });
    array out;
    for (Problem& problem : all)
        out.push_back(object{{"subject", problem.subject}, {"text", std::move(problem.text)}});
    return out;
}

void StatusPart::add_status(object& all) {
    const ops::ProcessFacts facts = ops::process_facts();
    all["version"] = kVersion;
    all["uptime_s"] = (main_.now_ms() - main_.started_ms()) / 1000;
    all["pid"] = facts.pid;
    all["resident_bytes"] = facts.resident_bytes;
    all["cpu_s"] = facts.cpu_s;
    all["main_turn_ms"] = std::round(static_cast<double>(main_.turns().longest_ns()) / 1e4) / 100;
    all["threads"] = facts.threads;
    if (facts.open_files) all["open_files"] = *facts.open_files;
}

// By the names that monitoring systems know for every process.
void StatusPart::write_metrics(ops::MetricWriter& writer) {
    const ops::ProcessFacts facts = ops::process_facts();
    writer.family("process_resident_memory_bytes");
    writer.sample({}, facts.resident_bytes);
    writer.family("process_cpu_seconds");
    writer.sample({}, facts.cpu_s);
    writer.family("process_start_time_seconds");
    writer.sample({}, facts.started_s);
    writer.family("steerdns_main_turn_seconds");
    writer.sample({}, static_cast<double>(main_.turns().longest_ns()) / 1e9);
    writer.family("process_threads");
    writer.sample({}, facts.threads);
    if (facts.open_files) {
        writer.family("process_open_fds");
        writer.sample({}, *facts.open_files);
    }
    writer.family("process_max_fds");
    writer.sample({}, facts.most_files);
    writer.family("steerdns_build_info");
    writer.sample({{"version", kVersion}, {"dpdk", rte_version()}}, std::uint64_t{1});
}

}  // namespace

Parts::Maker status_part() {
    return Parts::maker<StatusPart>();
}

}  // namespace steer
