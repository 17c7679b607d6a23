// Filters of system calls and rules for files, as a part of the daemon. It serves after all parts
// that start threads.
#include <spdlog/spdlog.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/host/process/call_filters.h"
#include "control/host/process/confinement.h"
#include "control/host/process/main_loop.h"
#include "control/host/process/starter.h"
#include "control/parts.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint64_t kReportEveryMs = 60'000;  // of one call of one kind

// Those of this process.
constexpr std::array kOwnKinds{ThreadKind::worker,    ThreadKind::streams, ThreadKind::routers,
                               ThreadKind::exception, ThreadKind::log,     ThreadKind::control};

class ConfinementPart final : public Part {
  public:
    static constexpr std::string_view kName = "confinement";
    using Needs = steer::Needs<MainLoop>;
    explicit ConfinementPart(const Needs& needs) : main_(needs.get<MainLoop>()) {}

    void serve() override {
        unfiltered_ = filter_rest();
        for (const std::string& name : unfiltered_)
            spdlog::warn("thread {} has no filter of system calls: it handles no signals", name);
    }
    void poll() override {
        const std::uint64_t now_ms = main_.now_ms();
        for (const DeniedCall& denied : denied_calls()) {
            Reported& reported = reported_[{denied.kind, denied.call}];
            if (denied.count == reported.count) continue;
            if (reported.count != 0 && now_ms < reported.at_ms + kReportEveryMs) continue;
            reported = {denied.count, now_ms};
            spdlog::error("{}", sentence(denied));
        }
    }
    void add_status(object& all) override {
        const Confinement& now = confinement();
        object one{{"system_calls", now.system_calls}, {"files", now.files}};
        one["unfiltered_threads"] = array(unfiltered_.begin(), unfiltered_.end());
        all["confinement"] = std::move(one);
    }
    void add_counters(object& all) override {
        array kinds;
        const auto denied = denied_calls();
        for (const ThreadKind kind : kOwnKinds) {
            object calls{{"name", std::string(row_of(kind).label)}};
            for (const DeniedCall& one : denied) {
                if (one.kind == kind) calls[one.call] = one.count;
            }
            if (calls.size() > 1) kinds.push_back(std::move(calls));
        }
        all["denied_calls"] = std::move(kinds);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        const auto denied = denied_calls();
        writer.family("steerdns_denied_calls");
        for (const ThreadKind kind : kOwnKinds) {
            std::uint64_t count = 0;
            for (const DeniedCall& one : denied)
                count += one.kind == kind ? one.count : 0;
            writer.sample({{"thread", row_of(kind).label}}, count);
        }
    }
    void add_problems(Problems& problems) override {
        for (const DeniedCall& denied : denied_calls())
            problems.push_back({"confinement", sentence(denied)});
        const Starter* const starter = starter_in_use();
        if (starter != nullptr && !starter->is_alive()) {
            problems.push_back({"confinement",
                                "the process that starts others has ended, so patterns cannot be "
                                "compiled and sets of the kernel cannot be filled: restart "
                                "steerdnsd"});
        }
    }

  private:
    struct Reported {
        std::uint64_t count = 0;
        std::uint64_t at_ms = 0;
    };

    static std::string sentence(const DeniedCall& denied) {
        const bool is_denied = confinement().system_calls != "log";
        return "system call " + denied.call + " of a thread of kind " +
               std::string(row_of(denied.kind).label) +
               (is_denied ? " was denied" : " would be denied") + " (" +
               std::to_string(denied.count) + " times since the start): report it" +
               (is_denied ? "; `seccomp: log` in `control` lets it pass" : "");
    }

    MainLoop& main_;
    std::vector<std::string> unfiltered_;
    std::map<std::pair<ThreadKind, std::string>, Reported> reported_;
};

}  // namespace

Parts::Maker confinement_part() {
    return Parts::maker<ConfinementPart>();
}

}  // namespace steer
