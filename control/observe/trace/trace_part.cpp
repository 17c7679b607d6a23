// `explain` and `trace`, as a part of the daemon.
#include <cstdint>
#include <string_view>

#include "control/host/process/main_loop.h"
#include "control/observe/trace/trace_service.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/recursion_part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "control/sinks/routers/routers_part.h"
#include "control/sources/blocking/blocking_part.h"

namespace steer {
namespace {

class TracePart final : public Part {
  public:
    static constexpr std::string_view kName = "trace";
    using Needs = steer::Needs<MainLoop, StartSource, Configuration, WorkersPart, StreamsPart,
                               RoutersPart, RecursionPart, BlockingPart>;
    explicit TracePart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          configuration_(needs.get<Configuration>()),
          workers_(needs.get<WorkersPart>()),
          streams_(needs.get<StreamsPart>()),
          routers_(needs.get<RoutersPart>()),
          recursion_(needs.get<RecursionPart>()),
          blocking_(needs.get<BlockingPart>()),
          service_(main_.io(), needs.get<StartSource>().get()) {}

    Result<void> start() override {
        service_.begin(
            {workers_.runtime(), streams_.threads(), routers_.thread(), main_.clock(),
             configuration_.sets(),
             [this](std::uint32_t generation) { return workers_.publisher().find(generation); },
             [this](std::string_view name) { return recursion_.failures_of(name); },
             [this](std::string_view name, const IpAddress& client) {
                 return blocking_.deciding(name, client);
             }});
        return {};
    }
    void add_methods(ops::Methods& methods) override { service_.add_methods(methods); }
    void poll() override { service_.poll(); }
    void stop() override { service_.end(); }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    MainLoop& main_;
    Configuration& configuration_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    RoutersPart& routers_;
    RecursionPart& recursion_;
    BlockingPart& blocking_;
    TraceService service_;
};

}  // namespace

Parts::Maker trace_part() {
    return Parts::maker<TracePart>();
}

}  // namespace steer
