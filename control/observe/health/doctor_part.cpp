#include "control/observe/health/doctor_part.h"

#include <string>
#include <utility>

#include "control/parts.h"

namespace steer {

DoctorPart::DoctorPart(const Needs& needs)
    : reports_(needs.get<MainLoop>().clock(), needs.get<StartSettings>().get().control.ready_nat64,
               [&events = needs.get<Events>()](bool is_problem, const std::string& line) {
                   events.tell(ops::EventKind::doctor,
                               is_problem ? ops::EventLevel::warning : ops::EventLevel::info, line);
               }) {}

void DoctorPart::add_problems(Problems& problems) {
    for (std::string& text : reports_.problems())
        problems.push_back({"doctor", std::move(text)});
}

Parts::Maker doctor_part() {
    return Parts::maker<DoctorPart>();
}

}  // namespace steer
