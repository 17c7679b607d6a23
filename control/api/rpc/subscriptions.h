// Subscriptions of sessions, each with a bounded queue: events, counters, queries and
// readiness as JSON-RPC notifications.
//
// A producer calls publish() from any thread. This costs one relaxed load if the topic has no
// subscriber. Else the filters are checked under a mutex that is held for a few comparisons, and
// the JSON is made once for all matching subscribers. No thread ever waits for a subscriber. If a
// queue is full (kMaxQueued, kMaxQueuedBytes) or a rate is reached, the notification is lost.
// `lost` of the next one has the number of lost ones.
//
// A session has one Feed, which takes notifications on the io_context's thread:
//   {"jsonrpc":"2.0","method":"events","params":{"subscription":3,"lost":0,"data":{...}}}
#pragma once

#include <array>
#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/rpc/methods.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace boost::asio {
class io_context;
}

namespace steer::ops {

enum class Topic : std::uint8_t { events, counters, queries, readiness };
inline constexpr std::array<std::string_view, 4> kTopicLabels{"events", "counters", "queries",
                                                              "readiness"};

inline constexpr std::size_t kMaxSubscriptions = 256;       // of all sessions
inline constexpr std::size_t kMaxSubscriptionsPerFeed = 8;  // of one session
inline constexpr std::size_t kMaxQueued = 1'000;            // notifications of one subscription
inline constexpr std::size_t kMaxQueuedBytes = 1024 * 1024;
inline constexpr std::uint32_t kDefaultRate = 200;  // notifications a second of one subscription

// The facts that filters compare. Views are used during the call only.
struct Facts {
    std::string_view kind;  // of an event: "reload", "router", …; of a query: its end
    std::string_view name;  // of a query, without the last dot; compared ignoring case
    std::optional<IpAddress> client;
    // Members that only the roles `operate` and `admin` get.
    std::span<const std::string_view> for_operators{};
    bool is_for_operators = false;  // as a whole
};

// A subscriber's selection from a topic. Empty fields select everything.
struct Filter {
    std::string kind;    // equal to Facts::kind; of counters: the beginning of their names
    std::string suffix;  // the name, or a name above it; in lower case
    std::optional<matchers::Prefix> client;
    std::uint32_t one_in = 1;  // of matching ones
    bool is_operator = true;   // gets Facts::for_operators
    std::uint32_t rate = kDefaultRate;
    std::chrono::milliseconds interval{1'000};  // of counters
};

class Subscriptions;

// The subscriptions of one session. Used on the io_context's thread.
class Feed {
  public:
    // `wake` is called on the io_context's thread when next() may have a result. It must not end
    // the feed.
    Feed(std::shared_ptr<Subscriptions> all, std::function<void()> wake);
    ~Feed();  // ends its subscriptions
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    // The next notification, as JSON without line end. No value: there is none now. Subscriptions
    // take turns.
    std::optional<std::string> next();
    [[nodiscard]] bool is_used() const;  // whether it has a subscription

  private:
    friend class Subscriptions;
    std::shared_ptr<Subscriptions> all_;
    std::function<void()> wake_;
};

class Subscriptions : public std::enable_shared_from_this<Subscriptions> {
  public:
    // `io` must outlive the last call. Create it with std::make_shared.
    explicit Subscriptions(boost::asio::io_context& io);
    ~Subscriptions();
    Subscriptions(const Subscriptions&) = delete;
    Subscriptions& operator=(const Subscriptions&) = delete;

    // Whether the topic has subscribers: one relaxed load. Any thread.
    [[nodiscard]] bool wants(Topic topic) const {
        return wanted_[static_cast<std::size_t>(topic)].load(std::memory_order_relaxed) != 0;
    }
    // Sends make()'s object to each subscriber with a filter that matches `facts`. Calls make() at
    // most once, on this thread, without a lock. Any thread.
    void publish(Topic topic, const Facts& facts, const std::function<boost::json::object()>& make);

    // The numbers of topic `counters`, by name; called on the io_context's thread at each interval.
    using Numbers = std::vector<std::pair<std::string, std::uint64_t>>;
    void set_counters(std::function<Numbers()> numbers);

    // Returns the number of the new subscription, or the reason why there is none. This and all
    // functions below: from the io_context's thread.
    Result<std::uint64_t> subscribe(Feed& feed, Topic topic, const Filter& filter);
    // Returns false if the feed has no such subscription.
    bool unsubscribe(Feed& feed, std::uint64_t id);
    // Returns the number of ended subscriptions.
    std::size_t unsubscribe_all(Feed& feed);
    [[nodiscard]] std::size_t count() const;
    // The number of subscriptions to the topic, and their losses since the start. Any thread.
    [[nodiscard]] std::uint32_t count(Topic topic) const {
        return wanted_[static_cast<std::size_t>(topic)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t lost(Topic topic) const {
        return lost_[static_cast<std::size_t>(topic)].load(std::memory_order_relaxed);
    }

    // Adds the methods `subscribe` and `unsubscribe`.
    void add_methods(Methods& methods);
    // Subscribes with the parameters of `subscribe`; returns the method's result.
    RpcResult subscribe(Feed& feed, const Arguments& asked);
    // The declaration of `subscribe`, without its function.
    static const Method& method();

  private:
    friend class Feed;
    struct Impl;
    std::optional<std::string> next_of(const Feed& feed);
    [[nodiscard]] bool has_any(const Feed& feed) const;
    void deliver(const std::vector<std::uint64_t>& ids, const boost::json::object& data);
    void begin_ticks(std::uint64_t id, const Filter& filter);
    void await_tick(std::uint64_t id, const Filter& filter);
    void tick(std::uint64_t id, const Filter& filter);

    std::array<std::atomic<std::uint32_t>, kTopicLabels.size()> wanted_{};
    std::array<std::atomic<std::uint64_t>, kTopicLabels.size()> lost_{};
    std::unique_ptr<Impl> impl_;
};

// Every number in a JSON value by its path: {"a":{"b":1}} is "a.b". An array element has its "name"
// in the path; elements without a name are added up.
Subscriptions::Numbers numbers_of(const boost::json::value& value);

}  // namespace steer::ops
