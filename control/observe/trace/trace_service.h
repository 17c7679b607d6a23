// The methods `explain` and `trace` of the control socket.
//
// `explain` sends a query on behalf of a client, by injecting it with a trace id, and reports its
// whole path; or it shows a trace in memory. `trace` sets a filter for some seconds; workers trace
// the queries that it selects. The last kKept traces stay in memory, also those of `explain`. Up to
// kMaxTraceFilters filters at a time, each for its own requests. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/cache/cache_methods.h"
#include "control/host/process/background.h"
#include "control/host/process/published.h"
#include "control/observe/trace/row_sentences.h"
#include "control/observe/trace/trace_copy.h"
#include "control/program/reload/reloader.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/stream_threads.h"
#include "control/sinks/routers/router_thread.h"

namespace steer {

class TraceService {
  public:
    static constexpr std::size_t kKept = 256;

    struct Parts {
        DataplaneRuntime& runtime;
        StreamThreads& streams;
        const std::unique_ptr<RouterThread>& routers;
        Clock& clock;
        const SetsInForce& in_force;
        std::function<const Snapshot*(std::uint32_t generation)> snapshot;  // nullptr: freed
        // Why a `recursion` could not resolve this name, in sentences.
        std::function<boost::json::array(std::string_view name)> failures_of;
        // BlockingService::deciding().
        std::function<std::uint32_t(std::string_view name, const IpAddress& client)> deciding_rule;
    };
    TraceService(boost::asio::io_context& main_io, ConfigSource source);
    ~TraceService();
    TraceService(const TraceService&) = delete;
    TraceService& operator=(const TraceService&) = delete;

    // Call it before add_methods(); all parts must outlive it.
    void begin(const Parts& parts);
    void add_methods(ops::Methods& methods);
    // Takes finished traces, and ends filters. Call it a few times a second.
    void poll();
    // Ends filters and all requests. Call it before the workers end, and destroy the object after
    // they have ended.
    void end();

  private:
    struct Kept {
        std::uint64_t serial;
        std::uint64_t id;
        std::string end;
        boost::json::object json;
        std::uint8_t filters;  // TraceHead::filters
        WantedRows rows;
        std::size_t events;
    };
    struct Asked;
    struct Collect;
    struct Filter;

    void explain(const ops::Arguments& asked, const ops::RpcDone& done);
    void explain_kept(const std::string& id, const ops::RpcDone& done);
    void trace(const ops::Arguments& asked, const ops::RpcDone& done);
    void ask(const std::shared_ptr<Asked>& asked);
    void await_answer(const std::shared_ptr<Asked>& asked);
    void add_rows(const std::shared_ptr<Asked>& asked);
    void add_rules(const std::shared_ptr<Asked>& asked);
    std::shared_ptr<Filter> filter_for(const std::string& text, TraceFilter selects);
    void publish_filters();
    void collect(const std::shared_ptr<Collect>& wanted);
    void take(Buffer* buffer);
    void add_rule_numbers(boost::json::object& json, const TraceCopy& trace) const;
    [[nodiscard]] const Kept* find(std::uint64_t id) const;

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    std::unique_ptr<Parts> parts_;
    std::unique_ptr<Published<TraceFilter>> filter_;
    std::vector<std::shared_ptr<Filter>> filters_;  // in force
    std::uint8_t next_number_ = 0;
    std::deque<Kept> kept_;  // the oldest first
    std::size_t kept_events_ = 0;
    std::uint64_t serial_ = 0, next_id_ = 0;
    std::uint16_t next_port_ = 0;
    bool is_ended_ = false;
    bool is_busy_ = false;  // thread_ reads lists
    BackgroundThread thread_{"explain"};
};

}  // namespace steer
