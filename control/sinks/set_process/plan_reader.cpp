#include "control/sinks/set_process/plan_reader.h"

#include <utility>
#include <variant>

namespace steer::sets {
namespace {

constexpr std::size_t kMaxNever = 1'000'000;  // prefixes of one plan

}  // namespace

PlanReader::Progress PlanReader::take(SetMessage message) {
    if (std::holds_alternative<PlansBegin>(message.what)) {
        open_ = true;
        number_ = message.plans;
        plans_.clear();
        return Progress::more;
    }
    if (!open_ || message.plans != number_) return Progress::wrong;
    if (auto* const plan = std::get_if<PlanPart>(&message.what)) {
        if (plans_.size() >= kMaxLists) return Progress::wrong;
        plans_.push_back(std::move(plan->plan));
        return Progress::more;
    }
    if (const auto* const never = std::get_if<NeverPart>(&message.what)) {
        if (plans_.empty()) return Progress::wrong;
        auto& all = plans_.back().never_claim;
        if (all.size() + never->prefixes.size() > kMaxNever) return Progress::wrong;
        all.insert(all.end(), never->prefixes.begin(), never->prefixes.end());
        return Progress::more;
    }
    if (!std::holds_alternative<PlansEnd>(message.what)) return Progress::wrong;
    open_ = false;
    return Progress::whole;
}

}  // namespace steer::sets
