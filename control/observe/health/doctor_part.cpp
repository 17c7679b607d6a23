// Reports of `steerctl doctor --watch`, as a part of the daemon.
#include <string>
#include <string_view>
#include <utility>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/doctor_reports.h"
#include "control/parts.h"

namespace steer {
namespace {

class DoctorPart final : public Part {
  public:
    static constexpr std::string_view kName = "doctor";
    using Needs = steer::Needs<MainLoop, StartSettings, Events>;
    explicit DoctorPart(const Needs& needs)
        : reports_(
              needs.get<MainLoop>().clock(), needs.get<StartSettings>().get().control.ready_nat64,
              [&events = needs.get<Events>()](bool is_problem, const std::string& line) {
                  events.tell(ops::EventKind::doctor,
                              is_problem ? ops::EventLevel::warning : ops::EventLevel::info, line);
              }) {}

    void add_methods(ops::Methods& methods) override { reports_.add_methods(methods); }
    void write_metrics(ops::MetricWriter& writer) override { reports_.write_metrics(writer); }
    void add_problems(Problems& problems) override {
        for (std::string& text : reports_.problems())
            problems.push_back({"doctor", std::move(text)});
    }
    void add_conditions(std::vector<ops::HealthCheck>& checks) override {
        reports_.add_check(checks);
    }

  private:
    DoctorReports reports_;
};

}  // namespace

Parts::Maker doctor_part() {
    return Parts::maker<DoctorPart>();
}

}  // namespace steer
