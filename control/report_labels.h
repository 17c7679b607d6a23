// Labels that reports and metrics of the daemon share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "control/runtime/ports/port_set.h"
#include "dataplane/event/event.h"

namespace steer {

inline constexpr std::array kOutcomeLabels{
#define STEER_OUTCOME_LABEL(name, label, text) std::string_view{label},
    STEER_OUTCOMES(STEER_OUTCOME_LABEL)
#undef STEER_OUTCOME_LABEL
};

struct PortLoss {
    std::string_view label;
    std::uint64_t PortLosses::*count;
};
inline constexpr PortLoss kPortLosses[] = {{"ring_full", &PortLosses::ring_full},
                                           {"no_buffer", &PortLosses::no_buffer},
                                           {"dropped", &PortLosses::dropped},
                                           {"not_sent", &PortLosses::not_sent}};

}  // namespace steer
