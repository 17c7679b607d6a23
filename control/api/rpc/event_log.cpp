#include "control/api/rpc/event_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "control/api/log/log.h"
#include "matchers/safe_text.h"

namespace steer::ops {
namespace json = boost::json;
namespace {

spdlog::level::level_enum of_log(EventLevel level) {
    switch (level) {
        case EventLevel::info:
            return spdlog::level::info;
        case EventLevel::warning:
            return spdlog::level::warn;
        case EventLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::int64_t wall_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

void EventLog::tell(EventKind kind, EventLevel level, const std::string& line) {
    {
        std::optional<AuditLine> audit;
        if (kind == EventKind::change) audit.emplace();
        spdlog::log(of_log(level), "{}", line);
    }
    const std::string_view label = kEventLabels[static_cast<std::size_t>(kind)];
    json::object event{{"at_ms", wall_ms()},
                       {"kind", label},
                       {"level", kEventLevels[static_cast<std::size_t>(level)]},
                       {"text", safe_text(line, kSafeLineBytes)}};
    {
        const std::lock_guard lock(mutex_);
        last_.push_back(event);
        if (last_.size() > kKeptEvents) last_.pop_front();
    }
    // Changes name clients, and what is blocked for them.
    subscribers_->publish(Topic::events,
                          {.kind = label, .is_for_operators = kind == EventKind::change},
                          [&] { return std::move(event); });
}

void EventLog::add_methods(Methods& methods) {
    methods.add(
        {.name = "events",
         .help = "Lists the last events: reloads, routers, lists, upstreams, changes.",
         .changes = Changes::nothing(),
         .piece = Piece::report(),
         .parameters = {{"kind", ParamType::text, "only events of this kind"},
                        {"most", ParamType::number, "how many (default: 100)", false, 1,
                         kKeptEvents}},
         .run = [this](const Arguments& asked) -> RpcResult {
             const std::string kind = asked.text("kind");
             if (!kind.empty() &&
                 std::find(kEventLabels.begin(), kEventLabels.end(), kind) == kEventLabels.end()) {
                 std::string known;
                 for (const auto label : kEventLabels)
                     known.append(known.empty() ? "" : ", ").append(label);
                 return bad_params("\"kind\": there are " + known);
             }
             constexpr std::uint64_t kMost = 100;
             const auto most = asked.number("most", kMost);
             std::deque<json::value> found;
             const std::lock_guard lock(mutex_);
             const bool sees_changes = asked.caller().role >= AccessRole::operate;
             const std::string_view change =
                 kEventLabels[static_cast<std::size_t>(EventKind::change)];
             for (auto at = last_.rbegin(); at != last_.rend() && found.size() < most; ++at) {
                 const json::string& of = at->at("kind").as_string();
                 if (of == change && !sees_changes) continue;
                 if (kind.empty() || of == kind) found.emplace_front(*at);
             }
             return json::value{{"events", json::array(found.begin(), found.end())}};
         },
         .members = "events",
         .result = "`events`, the oldest first: `at_ms` (since 1970), `kind`, `level` and `text`"});
}

}  // namespace steer::ops
