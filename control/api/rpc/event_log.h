// Log lines that an operator waits for, as events. Each is logged and sent to subscribers of topic
// `events`, with the same words. The last kKeptEvents are kept for later clients (`events`).
//
// Any thread may report an event; the methods belong to the main thread.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "control/api/rpc/methods.h"
#include "control/api/rpc/subscriptions.h"

namespace steer::ops {

inline constexpr std::size_t kKeptEvents = 500;

enum class EventKind : std::uint8_t {
    reload,       // done or refused
    router,       // connected, lost, in sync, leases and lists of routers
    list,         // download from a URL done or failed
    upstream,     // answers or does not
    overload,     // quotas and tables that are full
    certificate,  // ends soon
    doctor,       // a finding of `steerctl doctor --watch` is new or fixed
    thread,       // a helper thread is stuck, or continues
    readiness,    // /readyz fails, or succeeds again
    change,       // a request that changes something, or was refused
};
inline constexpr std::array<std::string_view, 10> kEventLabels{
    "reload",      "router", "list",   "upstream",  "overload",
    "certificate", "doctor", "thread", "readiness", "change"};

enum class EventLevel : std::uint8_t { info, warning, error };
inline constexpr std::array<std::string_view, 3> kEventLevels{"info", "warning", "error"};

class EventLog {
  public:
    explicit EventLog(std::shared_ptr<Subscriptions> subscribers)
        : subscribers_(std::move(subscribers)) {}

    void tell(EventKind kind, EventLevel level, const std::string& line);

    // Adds the method `events`.
    void add_methods(Methods& methods);

  private:
    std::shared_ptr<Subscriptions> subscribers_;
    mutable std::mutex mutex_;  // protects the following members
    std::deque<boost::json::object> last_;
};

}  // namespace steer::ops
