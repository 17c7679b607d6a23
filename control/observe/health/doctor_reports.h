// The last reports of `steerctl doctor --watch`, as metrics, for /readyz, the control socket and
// the page.
//
// A report has at most 256 findings and 256 KiB of sentences and commands about them.
//
// The doctor is a separate process: it blocks, and needs its own rights. A report is stale when the
// next three reports are missing. Findings never make this instance unready. A dead NAT64 does if
// `control.ready_nat64` is set.
//
// Not thread-safe; used by the main thread.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "dataplane/base/clock.h"

namespace steer {

class DoctorReports {
  public:
    static constexpr std::uint64_t kStaleAfter = 3;  // intervals
    static constexpr std::size_t kMaxRouters = 64;

    // Gets each finding that is new or fixed: events of kind `doctor`.
    using News = std::function<void(bool is_problem, const std::string& line)>;
    // `needs_nat64`: `control.ready_nat64`.
    DoctorReports(
        Clock& clock, bool needs_nat64, News news = [](bool, const std::string&) {})
        : clock_(clock), needs_nat64_(needs_nat64), news_(std::move(news)) {}

    // Adds the method `doctor.report`.
    void add_methods(ops::Methods& methods);
    // The findings of level `problem`, and routers that could not be read.
    [[nodiscard]] std::vector<std::string> problems() const;
    // The last probes' steps whose names begin with `prefix`, by router: [{"router", "age_s",
    // "stale", "step", "result", "text"}].
    [[nodiscard]] boost::json::array steps_about(std::string_view prefix) const;
    void write_metrics(ops::MetricWriter& writer) const;
    // Adds the condition `doctor`, if there was any report.
    void add_check(ops::HealthChecks& checks) const;

  private:
    struct Finding {
        std::string level, check, what;
        std::string why, advice;             // may be empty
        std::vector<std::string> fix, undo;  // commands of a RouterOS terminal, in this order
    };
    struct Step {
        std::string name, result, text;
    };
    struct Report {
        std::uint64_t at_ms = 0, interval_s = 0;
        std::string error;
        std::vector<Finding> findings;
        std::vector<Step> steps;
        bool nat64_dead = false, option_withdrawn = false;
    };

    ops::RpcResult take(const ops::Arguments& given);
    // Adds the texts `N KIND TEXT` to their findings. Returns the error in them; empty: none.
    static std::string add_remedies(const std::vector<std::string>& remedies,
                                    std::vector<Finding>& findings);
    [[nodiscard]] boost::json::object to_json(const std::string& name, const Report& report) const;
    [[nodiscard]] ops::RpcResult list(const ops::Arguments& asked) const;
    void tell_news(const std::string& router, const Report& before, const Report& now) const;
    [[nodiscard]] std::uint64_t age_s(const Report& report) const;
    [[nodiscard]] bool is_stale(const Report& report) const;
    [[nodiscard]] std::string details_of(const std::string& router, const Report& report) const;

    Clock& clock_;
    bool needs_nat64_;
    News news_;
    std::map<std::string, Report> by_router_;
};

}  // namespace steer
