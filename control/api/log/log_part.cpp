// The log's outputs, as a part of the daemon: what waits for their readers, and what was lost.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/log/log.h"
#include "control/api/metrics/metrics.h"
#include "control/parts.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

// A line that waits for longer is a problem.
constexpr std::chrono::seconds kReaderPatience{5};

std::uint64_t seconds(std::chrono::milliseconds time) {
    return static_cast<std::uint64_t>(time / std::chrono::seconds(1));
}

class LogPart final : public Part {
  public:
    static constexpr std::string_view kName = "log";
    using Needs = steer::Needs<>;
    explicit LogPart(const Needs&) {}

    void add_status(object& all) override {
        array outputs;
        for (const auto& one : ops::log_reports())
            outputs.push_back(object{{"name", one.name},
                                     {"waiting_lines", one.waiting},
                                     {"lost_lines", one.lost},
                                     {"blocked_s", seconds(one.blocked)}});
        all["log"] = std::move(outputs);
    }
    void write_metrics(ops::MetricWriter& writer) override {
        const auto reports = ops::log_reports();
        writer.family("steerdns_log_lost_lines");
        for (const auto& one : reports)
            writer.sample({{"output", one.name}}, one.lost);
        writer.family("steerdns_log_waiting_lines");
        for (const auto& one : reports)
            writer.sample({{"output", one.name}}, one.waiting);
    }
    void add_problems(Problems& problems) override {
        for (const auto& one : ops::log_reports()) {
            if (one.blocked < kReaderPatience) continue;
            problems.push_back(
                {"log",
                 one.name + " has not been read for " + std::to_string(seconds(one.blocked)) +
                     " s: " + std::to_string(one.waiting) + " lines of the log wait, " +
                     std::to_string(one.lost) +
                     " were lost since the start; look at what reads or stores it (journald, "
                     "a pipe, a disk)"});
        }
    }
};

}  // namespace

Parts::Maker log_part() {
    return Parts::maker<LogPart>();
}

}  // namespace steer
