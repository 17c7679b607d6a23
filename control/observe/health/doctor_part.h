// Reports of `steerctl doctor --watch`, as a part of the daemon.
#pragma once

#include <string_view>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/doctor_reports.h"
#include "control/part.h"

namespace steer {

class DoctorPart final : public Part {
  public:
    static constexpr std::string_view kName = "doctor";
    using Needs = steer::Needs<MainLoop, StartSettings, Events>;
    explicit DoctorPart(const Needs& needs);

    void add_methods(ops::Methods& methods) override { reports_.add_methods(methods); }
    void write_metrics(ops::MetricWriter& writer) override { reports_.write_metrics(writer); }
    void add_problems(Problems& problems) override;
    void add_conditions(std::vector<ops::HealthCheck>& checks) override {
        reports_.add_check(checks);
    }

    [[nodiscard]] const DoctorReports& reports() const { return reports_; }

  private:
    DoctorReports reports_;
};

}  // namespace steer
