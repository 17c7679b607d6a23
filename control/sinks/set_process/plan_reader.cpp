#include "control/sinks/set_process/plan_reader.h"

#include <utility>
#include <variant>

namespace steer::sets {
namespace {

constexpr std::size_t kMaxNever = 1'000'000;  // prefixes of one plan

}  // namespace

PlanReader::Said PlanReader::take(SetMessage message) {
    if (std::holds_alternative<PlansBegin>(message.what)) {
        open_ = true;
        number_ = message.plans;
        plans_.clear();
        return Said::more;
    }
    if (!open_ || message.plans != number_) return Said::wrong;
    if (auto* const plan = std::get_if<PlanPart>(&message.what)) {
        if (plans_.size() >= kMaxLists) return Said::wrong;
        plans_.push_back(std::move(plan->plan));
        return Said::more;
    }
    if (const auto* const never = std::get_if<NeverPart>(&message.what)) {
        if (plans_.empty()) return Said::wrong;
        auto& all = plans_.back().never_claim;
        if (all.size() + never->prefixes.size() > kMaxNever) return Said::wrong;
        all.insert(all.end(), never->prefixes.begin(), never->prefixes.end());
        return Said::more;
    }
    if (!std::holds_alternative<PlansEnd>(message.what)) return Said::wrong;
    open_ = false;
    return Said::whole;
}

}  // namespace steer::sets
