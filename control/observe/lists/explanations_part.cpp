// `why` and `hits`, as a part of the daemon.
#include <optional>
#include <string_view>

#include "control/host/process/main_loop.h"
#include "control/observe/lists/hits_service.h"
#include "control/observe/lists/why_service.h"
#include "control/parts.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/workers_part.h"
#include "control/sources/blocking/blocking_part.h"

namespace steer {
namespace {

class ExplanationsPart final : public Part {
  public:
    static constexpr std::string_view kName = "explanations";
    using Needs = steer::Needs<MainLoop, StartSource, Configuration, WorkersPart, BlockingPart>;
    explicit ExplanationsPart(const Needs& needs)
        : workers_(needs.get<WorkersPart>()),
          why_(
              needs.get<MainLoop>().io(), needs.get<StartSource>().get(),
              needs.get<Configuration>().sets(), [this] { return workers_.publisher().current(); },
              [&blocking = needs.get<BlockingPart>()](std::string_view name,
                                                      const std::optional<IpAddress>& client) {
                  return blocking.about(name, client);
              }),
          hits_(needs.get<MainLoop>().io(), needs.get<StartSource>().get()) {}

    void add_methods(ops::Methods& methods) override {
        why_.add_methods(methods);
        hits_.add_methods(methods, workers_.records());
    }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    WorkersPart& workers_;
    WhyService why_;
    HitsService hits_;
};

}  // namespace

Parts::Maker explanations_part() {
    return Parts::maker<ExplanationsPart>();
}

}  // namespace steer
