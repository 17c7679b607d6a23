#include "control/host/process/system_calls.h"

#include <algorithm>

namespace steer {

int number_of_call(std::string_view name) {
    const auto all = system_calls();
    const auto found = std::ranges::find(all, name, &SystemCall::name);
    return found == all.end() ? -1 : found->number;
}

std::string name_of_call(int number) {
    const auto all = system_calls();
    const auto found = std::ranges::find(all, number, &SystemCall::number);
    return found == all.end() ? "call " + std::to_string(number) : std::string(found->name);
}

int last_known_call() {
    return std::ranges::max(system_calls(), {}, &SystemCall::number).number;
}

}  // namespace steer
