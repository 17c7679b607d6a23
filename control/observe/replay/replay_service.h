// `configuration.replay` of the control socket: what a configuration would have done with recorded
// or captured queries.
//
//   configuration.replay {"text" | "version" | "managed", "seconds", "from", "to", "plugin" | "records" (captured.h), "limit"}
//     {"good", "problems": as configuration.check, "from", "to", "complete", "queries", "distinct", "unreadable",
//      "same", "different", "unknown": {"queries", "distinct"}, "unknown_facts": [{"fact", "queries"}],
//      "changes": [{"before", "after", "queries", "distinct"}],
//      "differences": [{"name", "type", "class", "client", "server", "entry", "queries", "before", "after"}], "omitted"}
//
// `before` and `after` are decisions (decision.h); the most frequent queries are first. Captured
// queries have a `server`, and no `from` and `to`. If `good` is false, the rest is left out. Its
// own thread works, one request at a time. Lives on the main thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/config/settings.h"
#include "control/host/process/background.h"
#include "control/observe/recorder/recorder.h"
#include "control/observe/replay/recorded.h"
#include "control/program/reload/reloader.h"
#include "control/sources/edit/history.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"

namespace steer::replay {

class ReplayService {
  public:
    ReplayService(boost::asio::io_context& main_io, ConfigSource source);
    ~ReplayService() { end(); }
    ReplayService(const ReplayService&) = delete;
    ReplayService& operator=(const ReplayService&) = delete;

    // The parts of the running daemon that it needs; all must outlive it.
    struct Parts {
        recorder::Recorder& recorder;
        BufferPools& buffers;
        Clock& clock;
    };
    void add_methods(ops::Methods& methods, const Parts& parts);
    // Sets the present configuration.
    void follow(const config::Settings& settings);
    // Makes running work end soon, without a result.
    void end() { stop_ = true; }

  private:
    struct Place {
        std::string tag, path;
        unsigned mask4, mask6;
    };
    struct Request;

    void replay(const ops::Arguments& asked, const Parts& parts, const ops::RpcDone& done);
    // Chooses the recorder's database and the time; or returns the reason why there is none.
    std::optional<ops::RpcError> choose_database(const ops::Arguments& asked,
                                                 Request& request) const;
    [[nodiscard]] Result<Recorded> queries_of(const Request& request) const;
    [[nodiscard]] ops::RpcResult work(const Request& request) const;
    void begin(Request request, const ops::RpcDone& done);

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    std::string versions_;       // folder of the history of configurations
    std::vector<Place> places_;  // databases of recorders
    bool is_busy_ = false;
    std::atomic<bool> stop_{false};
    BackgroundThread thread_{"replay"};
};

}  // namespace steer::replay
