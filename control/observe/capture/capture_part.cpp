// Captures of frames, as a part of the daemon.
#include <memory>
#include <string_view>

#include "control/host/process/main_loop.h"
#include "control/observe/capture/capture_service.h"
#include "control/parts.h"
#include "control/runtime/workers_part.h"

namespace steer {
namespace {

class CapturePart final : public Part {
  public:
    static constexpr std::string_view kName = "capture";
    using Needs = steer::Needs<MainLoop, WorkersPart>;
    explicit CapturePart(const Needs& needs)
        : service_(std::make_unique<CaptureService>(
              needs.get<MainLoop>().io(), needs.get<WorkersPart>().runtime(),
              needs.get<WorkersPart>().records(), needs.get<MainLoop>().clock())) {}

    void add_methods(ops::Methods& methods) override { service_->add_methods(methods); }
    void stop() override { service_->end(); }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    std::unique_ptr<CaptureService> service_;
};

}  // namespace

Parts::Maker capture_part() {
    return Parts::maker<CapturePart>();
}

}  // namespace steer
