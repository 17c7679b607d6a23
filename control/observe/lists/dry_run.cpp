#include "control/observe/lists/dry_run.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <ostream>

#include "dataplane/base/clock.h"
#include "routeros/router.h"
#include "routeros/transport.h"

namespace steer {
namespace {

using namespace std::chrono_literals;
constexpr auto kRunFor = 50ms;
constexpr std::size_t kMaxRows = 10'000;

// There are no workers, and errors are in the status.
struct Deaf final : routeros::RouterSink {
    void installed(routeros::ListId, const routeros::AddressBytes&, std::uint32_t) override {}
    void ended(routeros::ListId, const routeros::AddressBytes&) override {}
    void lost(routeros::ListId, const routeros::AddressBytes&) override {}
    void epoch(routeros::ListId) override {}
    void away(routeros::ListId, bool) override {}
    void settled(std::uint64_t, routeros::Outcome) override {}
    void log(routeros::Level, std::string_view) override {}
};

struct Visit {
    Visit(boost::asio::io_context& io, const build::RouterPlan& plan, Clock& clock)
        : transport(io, plan.transport, [&clock] { return clock.now().ms; }),
          router(plan.config, sink, transport) {
        transport.drive(router);
        router.pause(clock.now().ms);
        router.start(clock.now().ms);
        transport.wake();
    }
    // Read, or unreadable: wrong password, missing rights.
    [[nodiscard]] bool done() const {
        return router.status().state == routeros::RouterState::in_sync ||
               router.counters().login_failures > 0;
    }

    Deaf sink;
    routeros::Transport transport;
    routeros::Router router;
};

bool print_differences(const build::RouterPlan& plan, routeros::Router& router,
                       std::uint64_t now_ms, std::ostream& out) {
    const auto status = router.status();
    const bool in_sync = status.state == routeros::RouterState::in_sync;
    if (!in_sync && !status.error.empty()) {  // a sentence that names it
        out << status.error << "\n";
        return false;
    }
    out << "router " << plan.config.name;
    if (plan.config.address != plan.config.name) out << " at " << plan.config.address;
    if (!in_sync) {
        out << ": could not be read: " << label(status.state) << "\n";
        return false;
    }
    const auto rows = router.differences(kMaxRows, now_ms);
    const auto orphans = router.orphans();
    out << " (" << status.board << ", " << status.version << "): " << status.rows_ours
        << " own rows, " << status.rows_foreign << " foreign, " << orphans.size() << " orphaned; "
        << (rows.empty() ? "nothing" : std::to_string(rows.size()))
        << " to be written at a start\n";
    for (const auto& row : rows)
        out << "  " << row.what << " " << row.list << " " << row.address << "\n";
    for (const auto& row : orphans)
        out << "  orphan, left alone: " << row.list << " " << row.address << " " << row.comment
            << "\n";
    return true;
}

}  // namespace

bool dry_run(const std::vector<build::RouterPlan>& plans, std::chrono::milliseconds patience,
             std::ostream& out) {
    if (plans.empty()) out << "the configuration has no router\n";
    boost::asio::io_context io;
    const auto work = boost::asio::make_work_guard(io);
    BootClock clock;
    std::vector<std::unique_ptr<Visit>> visits;
    visits.reserve(plans.size());
    for (const auto& plan : plans)
        visits.push_back(std::make_unique<Visit>(io, plan, clock));
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end &&
           !std::ranges::all_of(visits, [](const auto& visit) { return visit->done(); }))
        io.run_for(kRunFor);
    bool all = true;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        all = print_differences(plans[i], visits[i]->router, clock.now().ms, out) && all;
        visits[i]->router.stop(clock.now().ms);
        visits[i]->transport.stop();
    }
    return all;
}

}  // namespace steer
